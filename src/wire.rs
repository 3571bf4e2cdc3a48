//! Connections as ureq opens them, but for three things: the next bytes of a body are waited for less long than the head
//! of an answer; a request for an `http` address is handed to its proxy, where ureq opens a tunnel, which most proxies
//! refuse for that; and a body whose length is known is read past ureq, see `shortcut`.
//!
//! With `shortcut` the one user of the part of ureq that may change with its minor version.

use std::io;
use std::sync::Arc;

use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, ProxyProtocol, Timeout};

use crate::shortcut::{Line, Lines};

#[derive(Debug)]
pub(crate) struct Wires {
    inner: DefaultConnector,
    /// How a proxy is reached.
    to_proxy: Config,
    lines: Lines,
}

#[derive(Debug)]
pub(crate) struct Wire {
    line: Arc<Line>,
    lines: Lines,
    /// What ureq sees.
    buffers: LazyBuffers,
    /// What a proxy must be told before the path.
    origin: Option<String>,
}

impl Wires {
    pub fn new(to_proxy: Config, lines: Lines) -> Wires {
        Wires { inner: DefaultConnector::new(), to_proxy, lines }
    }

    fn wire(&self, inner: Box<dyn Transport>, config: &Config, origin: Option<String>) -> Wire {
        /// Room for the longest head of an answer.
        const HEAD: usize = 128 << 10;
        Wire {
            line: Arc::new(Line::new(inner, config.timeout_per_read())),
            lines: self.lines.clone(),
            buffers: LazyBuffers::new(HEAD, config.output_buffer_size()),
            origin,
        }
    }

    fn to_forwarder(&self, details: &ConnectionDetails) -> Result<Option<Wire>, Error> {
        let Some(proxy) = details.config.proxy() else { return Ok(None) };
        let speaks_http = matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
        let Some(authority) = details.uri.authority().filter(|_| speaks_http) else {
            return Ok(None);
        };
        let (uri, config) = (proxy.uri(), &self.to_proxy);
        let to_proxy = ConnectionDetails {
            uri,
            addrs: details.resolver.resolve(uri, config, details.timeout)?,
            config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let inner = self.inner.connect(&to_proxy, None)?;
        let origin = Some(format!("http://{authority}"));
        Ok(inner.map(|inner| self.wire(inner, config, origin)))
    }
}

impl Connector for Wires {
    type Out = Wire;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Wire>, Error> {
        if !details.needs_tls()
            && let Some(wire) = self.to_forwarder(details)?
        {
            return Ok(Some(wire));
        }
        let inner = self.inner.connect(details, chained)?;
        Ok(inner.map(|inner| self.wire(inner, details.config, None)))
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// A request begins a buffer, because none has a body: `GET /path` becomes `GET http://host/path`.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        const METHOD: &[u8] = b"GET ";
        let request = &self.buffers.output()[..amount];
        let origin = self.origin.as_deref().filter(|_| request.starts_with(METHOD));
        let parts = match origin {
            Some(origin) => [METHOD, origin.as_bytes(), &request[METHOD.len()..]],
            None => [request, b"", b""],
        };
        let request = parts.concat();
        let mut line = self.line.state();
        let output = line.transport.buffers().output();
        let Some(room) = output.get_mut(..request.len()) else {
            return Err(io::Error::other("the address is too long for a proxy").into());
        };
        room.copy_from_slice(&request);
        line.transmit(request.len(), timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let is_for_head = timeout.reason == Timeout::RecvResponse;
        let per_read = timeout.per_read.filter(|_| !is_for_head);
        let mut line = self.line.state();
        if line.transport.buffers().input().is_empty() {
            line.transport.await_input(NextTimeout { per_read, ..timeout })?;
        }
        let passed = line.pass_on(&mut self.buffers, is_for_head);
        // In a tunnel there is a wire in the wire, and only one of them hears of answers.
        if is_for_head && line.length.is_some() {
            self.lines.note(&self.line);
        }
        Ok(passed > 0)
    }

    fn is_open(&mut self) -> bool {
        let transport = &mut self.line.state().transport;
        transport.buffers().input().is_empty() && transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.line.state().transport.is_tls()
    }
}
