//! Parts of the demonstration that are processes of their own: started, waited for, killed by their id.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long a program may take from its start until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long it may take to stop in order: longer than a till that finishes a receipt and says goodbye to a slow cloud.
const STOP_WITHIN: Duration = Duration::from_secs(40);

/// A program of ours that runs.
pub(super) struct Program {
    name: &'static str,
    child: Child,
}

impl Program {
    /// Starts the program with these arguments. It says on its standard output, in one line that
    /// begins with `ready`, that it is; the rest of that line is returned.
    pub(super) async fn start(
        binary: &Path,
        name: &'static str,
        arguments: &[&str],
        log: &Path,
    ) -> std::io::Result<(Self, String)> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = Command::new(binary)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or_else(|| std::io::Error::other("no output"))?;
        let ready = tokio::time::timeout(READY_WITHIN, ready_line(output)).await;
        match ready {
            Ok(Some(line)) => Ok((Self { name, child }, line)),
            Ok(None) => {
                let status = child.wait().await?;
                Err(std::io::Error::other(format!("{name} ended before it was ready: {status}")))
            }
            Err(_) => Err(std::io::Error::other(format!("{name} was not ready in time"))),
        }
    }

    /// Cuts its power: SIGKILL, and waits until it is gone.
    pub(super) async fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill().await
    }

    /// Whether it still runs.
    pub(super) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to stop in order and waits for it.
    pub(super) async fn stop(mut self) -> std::io::Result<()> {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            let process = nix::unistd::Pid::from_raw(id);
            nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM)?;
        }
        match tokio::time::timeout(STOP_WITHIN, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => Err(std::io::Error::other(format!("{} ended with {}", self.name, status?))),
            Err(_) => {
                self.child.kill().await?;
                Err(std::io::Error::other(format!("{} did not stop in time and was killed", self.name)))
            }
        }
    }
}

/// Runs the program to its end and returns what it printed.
pub(super) async fn call(binary: &Path, arguments: &[&str]) -> std::io::Result<String> {
    let output = Command::new(binary).args(arguments).stdin(Stdio::null()).output().await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(std::io::Error::other(format!("till {} failed: {}", arguments.join(" "), words.trim())))
}

async fn ready_line(output: tokio::process::ChildStdout) -> Option<String> {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(rest) = line.strip_prefix("ready") {
            return Some(rest.trim().to_owned());
        }
    }
    None
}
