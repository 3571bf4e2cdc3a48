//! Connections as ureq opens them, but for two things: the next bytes of a body are waited for less long than the head
//! of an answer, and a request for an `http` address is handed to its proxy, where ureq opens a tunnel, which most
//! proxies refuse for that.
//!
//! The one user of the part of ureq that may change with its minor version.

use std::io;

use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Error, ProxyProtocol, Timeout};

#[derive(Debug)]
pub(crate) struct Wires {
    inner: DefaultConnector,
    /// How a proxy is reached.
    to_proxy: Config,
}

#[derive(Debug)]
pub(crate) struct Wire {
    inner: Box<dyn Transport>,
    /// What a proxy must be told before the path.
    origin: Option<String>,
}

impl Wires {
    pub fn new(to_proxy: Config) -> Wires {
        Wires { inner: DefaultConnector::new(), to_proxy }
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
        Ok(inner.map(|inner| Wire { inner, origin: Some(format!("http://{authority}")) }))
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
        Ok(inner.map(|inner| Wire { inner, origin: None }))
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    /// A request begins a buffer, because none has a body: `GET /path` becomes `GET http://host/path`.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        const METHOD: &[u8] = b"GET ";
        let mut amount = amount;
        let output = self.inner.buffers().output();
        if let Some(origin) = self.origin.as_ref().filter(|_| output.starts_with(METHOD)) {
            let (begin, end) = (METHOD.len(), METHOD.len() + origin.len());
            if output.len() < amount + origin.len() {
                return Err(io::Error::other("the address is too long for a proxy").into());
            }
            output.copy_within(begin..amount, end);
            output[begin..end].copy_from_slice(origin.as_bytes());
            amount += origin.len();
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let is_for_head = timeout.reason == Timeout::RecvResponse;
        let per_read = timeout.per_read.filter(|_| !is_for_head);
        self.inner.await_input(NextTimeout { per_read, ..timeout })
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
