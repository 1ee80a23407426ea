//! Ports of this machine: one for a server that a test starts, and one where nobody listens.
//!
//! The kernel gives a port that was bound and let go to anybody who asks for port 0 next, so
//! neither is found that way.
#![allow(dead_code, reason = "each test uses its part")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::net::TcpSocket;

/// Below the ports which the kernel hands out by itself (32768 up on Linux).
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody uses right now, and that nobody gets without asking for it by number.
pub fn free_port() -> u16 {
    // Programs that run at the same time start at different places, and so do the copies of this file
    // in one program, each of which counts for itself.
    let copy = std::ptr::from_ref(&NEXT).addr().wrapping_mul(2_654_435_761);
    let start = copy.wrapping_add(std::process::id() as usize * 97) % usize::from(COUNT);
    let start = u16::try_from(start).unwrap();
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// An address that refuses every connection while this lives: bound, and not listened to.
pub struct Refusal(TcpSocket);

impl Refusal {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}
