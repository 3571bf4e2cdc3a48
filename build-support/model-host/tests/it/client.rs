//! A client that shows what was on the wire, including where it ended.

use std::io::{BufRead, BufReader, Error, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use model_host::Host;

/// Long enough for any host here; a test that hangs should fail instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// One keep-alive connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body ended as its framing said it would.
    pub whole: bool,
}

/// The answer to one GET on its own connection.
pub fn get(host: &Host, target: &str) -> Response {
    Client::of(host).send("GET", target, &[])
}

/// The answer to one GET with a header, on its own connection.
pub fn get_with(host: &Host, target: &str, name: &str, value: &str) -> Response {
    Client::of(host).send("GET", target, &[(name, value)])
}

impl Client {
    pub fn of(host: &Host) -> Client {
        Client::at(host.addr())
    }

    pub fn at(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: host\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        self.write(&(text + "\r\n"));
        let response = self.read_head();
        if method == "HEAD" { response } else { self.read_body(response) }
    }

    pub fn write(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    pub fn read_head(&mut self) -> Response {
        let status_line = self.read_line();
        let status = status_line.split(' ').nth(1).expect(&status_line).parse().unwrap();
        let mut headers = Vec::new();
        while let Some((name, value)) = self.read_line().split_once(": ") {
            headers.push((name.to_owned(), value.to_owned()));
        }
        Response { status, headers, ..Response::default() }
    }

    pub fn read_body(&mut self, head: Response) -> Response {
        let (body, whole) = match (head.header("Content-Length"), head.header("Transfer-Encoding"))
        {
            (Some(length), None) => self.read_up_to(length.parse().unwrap()),
            (None, Some("chunked")) => self.read_chunks(),
            (None, None) if head.status == 304 => (Vec::new(), true),
            (None, None) => (self.read_rest(), true),
            framing => panic!("{framing:?}"),
        };
        Response { body, whole, ..head }
    }

    pub fn read_rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        rest
    }

    /// Reads until the connection fails.
    pub fn read_error(&mut self) -> Error {
        self.stream.read_to_end(&mut Vec::new()).unwrap_err()
    }

    pub fn read_up_to(&mut self, length: u64) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        self.stream.by_ref().take(length).read_to_end(&mut body).unwrap();
        let whole = body.len() as u64 == length;
        (body, whole)
    }

    fn read_chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        while let Ok(size) = u64::from_str_radix(&self.read_line(), 16) {
            let (chunk, whole) = self.read_up_to(size);
            body.extend(chunk);
            assert_eq!((whole, self.read_line().as_str()), (true, ""));
            if size == 0 {
                return (body, true);
            }
        }
        (body, false)
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}
