//! The network between the till and the world: a forwarder that can be pulled out like a cable.
//!
//! Pulled, it refuses connections and ends the ones that are open; plugged in again it listens on the
//! same port. Not here: faults of the wallet itself, which the gateway plays.

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One forwarder.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    address: SocketAddr,
    plugged: Arc<watch::Sender<bool>>,
}

impl Wire {
    /// Forwards a free loopback port to `target` until the tasks are dropped.
    pub(super) async fn start(target: SocketAddr, tasks: &mut JoinSet<()>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (plugged, plug) = watch::channel(true);
        tasks.spawn(serve(listener, address, target, plug));
        Ok(Self { address, plugged: Arc::new(plugged) })
    }

    /// Where the till calls.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
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
) {
    loop {
        let mut calls = JoinSet::new();
        while *plug.borrow_and_update() {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((near, _)) = accepted {
                        calls.spawn(forward(near, target));
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

async fn forward(mut near: TcpStream, target: SocketAddr) {
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    // Small requests and answers: do not wait to fill a packet.
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let _ = copy_bidirectional(&mut near, &mut far).await;
}
