//! The network between the till and the world: a forwarder that can be pulled out like a cable.
//!
//! Pulled, it refuses connections and ends the ones that are open; plugged in again it listens on the
//! same port, which it keeps meanwhile: a socket that is bound and does not listen refuses, and nobody else gets its port.
//! Not here: faults of the wallet itself, which the gateway plays.

use super::stopwatch::LastWord;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One forwarder.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    address: SocketAddr,
    /// Whether it should be plugged in.
    wanted: Arc<watch::Sender<bool>>,
    /// Whether it is.
    plugged: watch::Receiver<bool>,
    last_word: LastWord,
}

impl Wire {
    /// Forwards a free loopback port to `target` until the tasks are dropped.
    pub(super) async fn start(target: SocketAddr, tasks: &mut JoinSet<()>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (wanted, plug) = watch::channel(true);
        let (is_plugged, plugged) = watch::channel(true);
        let last_word = LastWord::default();
        let forwarder = Forwarder { address, target, plug, is_plugged, last_word: last_word.clone() };
        tasks.spawn(forwarder.serve(listener));
        Ok(Self { address, wanted: Arc::new(wanted), plugged, last_word })
    }

    /// Where the till calls.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// When the far end spoke last.
    pub(super) fn last_word(&self) -> &LastWord {
        &self.last_word
    }

    /// Pulls the cable. Nothing passes it when this returns.
    pub(super) async fn pull(&self) {
        self.set(false).await;
    }

    /// Plugs it in again.
    pub(super) async fn plug(&self) {
        self.set(true).await;
    }

    async fn set(&self, plugged: bool) {
        self.wanted.send_replace(plugged);
        // A forwarder that is gone passes nothing, and its shop is closing. Another hand may have been quicker.
        let _ = self.plugged.clone().wait_for(|is| *is == *self.wanted.borrow()).await;
    }

    /// Whether it is plugged in.
    pub(super) fn is_plugged(&self) -> bool {
        *self.plugged.borrow()
    }
}

/// The task behind one.
struct Forwarder {
    address: SocketAddr,
    target: SocketAddr,
    plug: watch::Receiver<bool>,
    is_plugged: watch::Sender<bool>,
    last_word: LastWord,
}

impl Forwarder {
    async fn serve(mut self, mut listener: TcpListener) {
        while let Some(pulled) = self.forward_until_pulled(listener).await {
            self.is_plugged.send_replace(false);
            while !*self.plug.borrow_and_update() {
                if self.plug.changed().await.is_err() {
                    return;
                }
            }
            match pulled.and_then(|port| port.listen(BACKLOG)) {
                Ok(again) => listener = again,
                Err(error) => {
                    tracing::error!(error = %error, "The cable cannot be plugged in again.");
                    return;
                }
            }
            self.is_plugged.send_replace(true);
        }
    }

    /// Forwards until the cable is pulled: open calls have ended then, and nobody listens. What keeps the port is
    /// returned; nothing once the shop closes.
    async fn forward_until_pulled(&mut self, listener: TcpListener) -> Option<std::io::Result<TcpSocket>> {
        let mut calls = JoinSet::new();
        while *self.plug.borrow_and_update() {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((near, _)) = accepted {
                        calls.spawn(forward(near, self.target, self.last_word.clone()));
                    }
                }
                changed = self.plug.changed() => changed.ok()?,
                Some(_) = calls.join_next(), if !calls.is_empty() => {}
            }
        }
        drop(listener);
        let kept = bound(self.address);
        calls.shutdown().await;
        Some(kept)
    }
}

/// Calls that may wait to be accepted.
const BACKLOG: u32 = 1024;

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Calls that have just ended still stand on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn forward(near: TcpStream, target: SocketAddr, last_word: LastWord) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    // Small requests and answers: do not wait to fill a packet.
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let (mut near_reads, mut near_writes) = near.into_split();
    let (mut far_reads, mut far_writes) = far.into_split();
    let out = async {
        let _ = tokio::io::copy(&mut near_reads, &mut far_writes).await;
        let _ = far_writes.shutdown().await;
    };
    let back = async {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = far_reads.read(&mut bytes).await {
            last_word.pass();
            if near_writes.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
        let _ = near_writes.shutdown().await;
    };
    tokio::join!(out, back);
}
