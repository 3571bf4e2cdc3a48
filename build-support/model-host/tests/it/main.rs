//! What the host promises, each promise once, seen from a client's side of the socket.

mod client;

mod serving;
mod ranges;
mod validators;
mod encoding;
mod redirects;
mod connections;
mod faults;
mod gates;
mod heads;
mod lengths;
mod tls;
mod proxy;
mod command;
