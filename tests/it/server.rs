//! Servers that others wrote, each started by the test that needs it: nginx as a host, squid as a proxy.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::shared_folder::skip;

/// A server in a directory of its own, on a port of its own. It is stopped when it is dropped.
pub struct Server {
    dir: TempDir,
    program: PathBuf,
    arguments: &'static [&'static str],
    /// The signal after which it ends what it does and writes all of its log.
    farewell: &'static str,
    port: u16,
    child: Child,
}

impl Server {
    /// nginx, with these lines in its `server` block, whose files are those of [`root`](Server::root). None, and the
    /// test is skipped by name, where it is not installed.
    pub fn nginx(lines: &str) -> Option<Server> {
        const ARGUMENTS: &[&str] = &["-p", ".", "-c", "configuration", "-e", "error.log"];
        Server::start("nginx", ARGUMENTS, "QUIT", &|dir, port| {
            fs::create_dir_all(dir.join("root")).unwrap();
            NGINX.replace("{port}", &port.to_string()).replace("{lines}", lines)
        })
    }

    /// squid, with these lines before the one that lets everybody in; `models.example` is this machine to it, and
    /// `{dir}/ask` knows that the password of ann is hunter2. None, and the test is skipped by name, where it is not
    /// installed.
    pub fn squid(lines: &str) -> Option<Server> {
        const ARGUMENTS: &[&str] = &["-N", "-f", "configuration"];
        Server::start("squid", ARGUMENTS, "TERM", &|dir, port| {
            fs::write(dir.join("hosts"), "127.0.0.1 models.example\n").unwrap();
            fs::write(dir.join("ask"), ASK).unwrap();
            let dir = dir.to_str().unwrap();
            let configuration = SQUID.replace("{lines}", lines).replace("{dir}", dir);
            configuration.replace("{port}", &port.to_string())
        })
    }

    fn start(
        program: &str,
        arguments: &'static [&'static str],
        farewell: &'static str,
        configuration: &dyn Fn(&Path, u16) -> String,
    ) -> Option<Server> {
        let Some(program) = installed(program) else {
            skip(&format!("{program} is not installed"));
            return None;
        };
        // Another process may take the port before the server does.
        for _ in 0..3 {
            let dir = TempDir::new().unwrap();
            // Servers that root starts work under another name.
            fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
            let port = free_port();
            fs::write(dir.path().join("configuration"), configuration(dir.path(), port)).unwrap();
            let child = spawn(&program, arguments, dir.path());
            let mut server =
                Server { dir, program: program.clone(), arguments, farewell, port, child };
            if server.becomes_ready() {
                return Some(server);
            }
        }
        panic!("{} does not start", program.display());
    }

    /// Starts it on the same port once it was stopped.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.program, self.arguments, self.dir.path());
        assert!(self.becomes_ready(), "{} does not start again", self.program.display());
    }

    /// Stops it in the middle of what it does. Then all of its log is written.
    pub fn stop(&mut self) {
        self.signal(self.farewell);
        self.child.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Replaces one line of the configuration, which counts from the next start or `HUP` on.
    pub fn reconfigure(&self, old: &str, new: &str) {
        let path = self.path("configuration");
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(old), "{before}");
        fs::write(path, before.replace(old, new)).unwrap();
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The directory that nginx serves.
    pub fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// The lines of its log, once it is stopped. That somebody knocked and left is not among them.
    pub fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("access.log")).unwrap();
        text.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect()
    }

    /// Whether it takes connections; false if it has ended instead.
    fn becomes_ready(&mut self) -> bool {
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                eprintln!("{}", fs::read_to_string(self.path("stderr")).unwrap());
                return false;
            }
            thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.stop();
        }
    }
}

/// `/usr/sbin` is not on everybody's path.
fn installed(program: &str) -> Option<PathBuf> {
    let places = ["", "/usr/sbin/", "/usr/local/sbin/"].map(|dir| format!("{dir}{program}"));
    let runs = |place: &String| Command::new(place).arg("-v").output().is_ok();
    places.into_iter().find(runs).map(PathBuf::from)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn spawn(program: &Path, arguments: &[&str], dir: &Path) -> Child {
    let log = File::create(dir.join("stderr")).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap()
}

/// A worker that is to go gives its connections no time.
const NGINX: &str = "
daemon off;
user root;
worker_shutdown_timeout 1ms;
pid nginx.pid;
events {}
http {
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    log_format asked '$status $body_bytes_sent $uri $http_range';
    access_log access.log asked;
    limit_req_zone $server_name zone=requests:1m rate=4r/s;
    server {
        listen 127.0.0.1:{port};
        server_name localhost;
        root root;
        {lines}
    }
}
";

const SQUID: &str = "
http_port 127.0.0.1:{port}
pid_filename {dir}/squid.pid
cache_log {dir}/cache.log
logformat asked %rm %ru %>Hs %un
access_log stdio:{dir}/access.log asked
hosts_file {dir}/hosts
coredump_dir {dir}
cache deny all
shutdown_lifetime 0 seconds
{lines}
http_access allow all
";

const ASK: &str = r#"while read -r user password; do
    if [ "$user $password" = 'ann hunter2' ]; then echo OK; else echo ERR; fi
done
"#;
