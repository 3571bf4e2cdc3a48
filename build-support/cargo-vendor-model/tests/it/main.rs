//! What users of the command rely on: the real program, against a real host on loopback. One file a behaviour.

mod support;

mod calling;
mod getting;
mod pinning;
mod providing;
mod stock;
mod verifying;
mod embedding;
mod inspecting;
mod bundling;
mod telling;
mod mirroring;
mod helping;
