//! nginx on loopback, in front of all models.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use model_host::{Authority, Certified};

use crate::Result;
use crate::measure::output;
use crate::place::Place;
use crate::site;

/// Stopped when it is dropped.
pub struct Nginx {
    child: Child,
    /// Its root's URL.
    pub url: String,
    /// The certificate to trust.
    pub authority: PathBuf,
}

const PROGRAM: &str = "/usr/sbin/nginx";

impl Nginx {
    pub fn plain(place: &Place) -> Result<Nginx> {
        Nginx::start(place, "http", "")
    }

    pub fn tls(place: &Place) -> Result<Nginx> {
        Nginx::start(place, "https", "ssl_certificate host.pem; ssl_certificate_key host.key;")
    }

    /// Sends `file.gz` for each file, asked or not.
    pub fn compressing(place: &Place) -> Result<Nginx> {
        Nginx::start(place, "http", "gzip_static always;")
    }

    pub fn version() -> Result<String> {
        output(Command::new("sh").args(["-c", &format!("{PROGRAM} -v 2>&1")]))
    }

    fn start(place: &Place, scheme: &str, lines: &str) -> Result<Nginx> {
        let dir = place.empty("nginx")?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777))?;
        let authority = Authority::generate();
        let Certified { certificate_pem, key_pem } = authority.certify(&["localhost"]);
        fs::write(dir.join("host.pem"), certificate_pem)?;
        fs::write(dir.join("host.key"), key_pem)?;
        fs::write(dir.join("ca.pem"), authority.pem())?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let site = site::root(place);
        let text = CONFIGURATION
            .replace("{listen}", &format!("{port}{}", if scheme == "https" { " ssl" } else { "" }))
            .replace("{site}", &site.display().to_string())
            .replace("{lines}", lines);
        fs::write(dir.join("configuration"), text)?;
        let mut command = Command::new(PROGRAM);
        command.args(["-p", ".", "-c", "configuration", "-e", "error.log"]).current_dir(&dir);
        let log = File::create(dir.join("stderr"))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if child.try_wait()?.is_some() {
                return Err(fs::read_to_string(dir.join("stderr"))?.into());
            }
            thread::yield_now();
        }
        let host = if scheme == "https" { "localhost" } else { "127.0.0.1" };
        let url = format!("{scheme}://{host}:{port}");
        Ok(Nginx { child, url, authority: dir.join("ca.pem") })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A master that is killed leaves its workers behind.
        let _ = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// `/bench/m/` is where hf-hub looks for the model `bench/m`.
const CONFIGURATION: &str = "
daemon off;
user root;
worker_processes auto;
worker_shutdown_timeout 1ms;
pid nginx.pid;
events {}
http {
    sendfile on;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    access_log off;
    server {
        listen 127.0.0.1:{listen};
        server_name localhost;
        root {site};
        {lines}
        location /bench/m/resolve/main/ {
            alias {site}/m/;
            add_header x-repo-commit 0123456789012345678901234567890123456789;
        }
    }
}
";
