//! Requests and answers as plain values: what a simulated gateway needs to be run without a socket.
//!
//! Deliberately not here: moving the bytes; `server` does that, and a test may do without.

/// A request as it came off the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRequest {
    /// `GET`, `POST`.
    pub method: String,
    /// Path and query as sent: `/gateway.do?method=...`. What is signed are these bytes.
    pub target: String,
    /// Names in any case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body's literal bytes.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query alone, empty if there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// An answer as it goes to the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawResponse {
    /// The HTTP status.
    pub status: u16,
    /// In the order they are written.
    pub headers: Vec<(String, String)>,
    /// The body's literal bytes; a fault may have cut them short.
    pub body: Vec<u8>,
    /// How the bytes are to travel.
    pub pace: Pace,
}

impl RawResponse {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What faults ask of the line that carries an answer. Whoever runs the gateway without a line may leave all of
/// it unheeded but `notify_first`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Milliseconds before the first byte.
    pub delay_ms: u64,
    /// Milliseconds before each further byte.
    pub byte_ms: u64,
    /// The line goes dead after the body's bytes, of which more were promised.
    pub breaks_off: bool,
    /// What is due to be notified goes out before this answer.
    pub notify_first: bool,
}
