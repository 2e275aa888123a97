//! The network between the till and the world: a forwarder that can be pulled out like a cable.
//!
//! Pulled, it refuses connections and ends the ones that are open; plugged in again it listens on the
//! same port. Not here: faults of the wallet itself, which the gateway plays.

use super::stopwatch::LastWord;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One forwarder.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    address: SocketAddr,
    plugged: Arc<watch::Sender<bool>>,
    last_word: LastWord,
}

impl Wire {
    /// Forwards a free loopback port to `target` until the tasks are dropped.
    pub(super) async fn start(target: SocketAddr, tasks: &mut JoinSet<()>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (plugged, plug) = watch::channel(true);
        let last_word = LastWord::default();
        tasks.spawn(serve(listener, address, target, plug, last_word.clone()));
        Ok(Self { address, plugged: Arc::new(plugged), last_word })
    }

    /// Where the till calls.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// When the far end spoke last.
    pub(super) fn last_word(&self) -> &LastWord {
        &self.last_word
    }

    /// Pulls the cable.
    pub(super) fn pull(&self) {
        self.plugged.send_replace(false);
    }

    /// Plugs it in again.
    pub(super) fn plug(&self) {
        self.plugged.send_replace(true);
    }

    /// Whether it is plugged in.
    pub(super) fn is_plugged(&self) -> bool {
        *self.plugged.borrow()
    }
}

async fn serve(
    mut listener: TcpListener,
    address: SocketAddr,
    target: SocketAddr,
    mut plug: watch::Receiver<bool>,
    last_word: LastWord,
) {
    loop {
        let mut calls = JoinSet::new();
        while *plug.borrow_and_update() {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((near, _)) = accepted {
                        calls.spawn(forward(near, target, last_word.clone()));
                    }
                }
                changed = plug.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                Some(_) = calls.join_next(), if !calls.is_empty() => {}
            }
        }
        // Pulled: open calls end, and nobody listens.
        drop(calls);
        drop(listener);
        while !*plug.borrow_and_update() {
            if plug.changed().await.is_err() {
                return;
            }
        }
        match TcpListener::bind(address).await {
            Ok(again) => listener = again,
            Err(error) => {
                tracing::error!(error = %error, "The cable cannot be plugged in again.");
                return;
            }
        }
    }
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
