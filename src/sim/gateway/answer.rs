//! Answers as the wallet writes them: one node named after the method, and a signature over its literal bytes.
//!
//! Fields stand in the order of the published samples, `code` and `msg` first and the rest by name, and
//! slashes are escaped as `\/`, as the real gateway does: a client that re-serialises the node before it
//! verifies fails here as it would there. Source: Alipay open platform, "Verifying synchronous answers".

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::Keys;

/// How the answer is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    Right,
    /// A signature of the gateway's key over other bytes.
    Wrong,
    Missing,
}

/// What stands under `alipay_trade_..._response`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    code: &'static str,
    msg: &'static str,
    fields: BTreeMap<&'static str, Value>,
}

impl Node {
    pub(super) fn success() -> Node {
        Node { code: "10000", msg: "Success", fields: BTreeMap::new() }
    }

    /// The buyer has to do something on the phone first.
    pub(super) fn in_process() -> Node {
        Node { code: "10003", msg: "order success pay inprocess", fields: BTreeMap::new() }
    }

    /// Nobody knows; the money may or may not have moved.
    pub(super) fn unavailable() -> Node {
        Node::refused("20000", "Service Currently Unavailable", "aop.ACQ.SYSTEM_ERROR", "系统异常")
    }

    /// The business said no.
    pub(super) fn failed(sub_code: &str, sub_msg: &str) -> Node {
        Node::refused("40004", "Business Failed", sub_code, sub_msg)
    }

    pub(super) fn refused(code: &'static str, msg: &'static str, sub_code: &str, sub_msg: &str) -> Node {
        let node = Node { code, msg, fields: BTreeMap::new() };
        node.with("sub_code", sub_code).with("sub_msg", sub_msg)
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Node {
        self.fields.insert(name, value.into());
        self
    }

    /// The sub code if there is one, else the code: for the log.
    pub(super) fn outcome(&self) -> &str {
        self.fields.get("sub_code").and_then(Value::as_str).unwrap_or(self.code)
    }

    fn render(&self) -> String {
        let head = [("code", Value::from(self.code)), ("msg", Value::from(self.msg))];
        let fields: Vec<String> = head
            .iter()
            .map(|(name, value)| (*name, value))
            .chain(self.fields.iter().map(|(name, value)| (*name, value)))
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        // A slash occurs in JSON text only inside strings, so escaping each one keeps the text valid.
        format!("{{{}}}", fields.join(",")).replace('/', "\\/")
    }
}

/// The whole answer to a verified request.
pub(super) fn envelope(
    method: &str,
    node: &Node,
    signing: Signing,
    keys: &Keys,
) -> Result<String, ring::error::Unspecified> {
    let name = method.replace('.', "_");
    let node = node.render();
    let signature = match signing {
        Signing::Right => keys.sign(&node)?,
        Signing::Wrong => keys.sign(&format!("{node} "))?,
        Signing::Missing => return Ok(format!("{{\"{name}_response\":{node}}}")),
    };
    Ok(format!("{{\"{name}_response\":{node},\"sign\":\"{signature}\"}}"))
}

/// The answer to a request that is not understood or not verified: nobody's, so unsigned.
pub(super) fn error_envelope(node: &Node) -> String {
    format!("{{\"error_response\":{}}}", node.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_written_in_the_published_order_with_escaped_slashes() {
        let node = Node::success().with("qr_code", "http://a/b").with("out_trade_no", "A");
        let text = r#"{"code":"10000","msg":"Success","out_trade_no":"A","qr_code":"http:\/\/a\/b"}"#;
        assert_eq!(node.render(), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap()["qr_code"], "http://a/b");
    }
}
