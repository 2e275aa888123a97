//! Answers as the wallet writes them: one node named after the method, and a signature over its literal bytes.
//!
//! Fields stand in the order of the published samples, `code` and `msg` first and the rest by name, and
//! slashes are escaped as `\/`, as the real gateway does: a client that re-serialises the node before it
//! verifies fails here as it would there. Source: Alipay open platform, "Verifying synchronous answers".

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sim::gateway::{
    keys::{Keys, Signing},
    yuan,
};

/// What stands under `alipay_trade_..._response`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::gateway) struct Node {
    code: &'static str,
    msg: &'static str,
    fields: BTreeMap<&'static str, Value>,
}

impl Node {
    pub(in crate::sim::gateway) fn success() -> Node {
        Node { code: "10000", msg: "Success", fields: BTreeMap::new() }
    }

    /// The buyer has to do something on the phone first.
    pub(in crate::sim::gateway) fn in_process() -> Node {
        Node { code: "10003", msg: "order success pay inprocess", fields: BTreeMap::new() }
    }

    /// Nobody knows; the money may or may not have moved.
    pub(in crate::sim::gateway) fn unavailable() -> Node {
        Node::refused("20000", "Service Currently Unavailable", "aop.ACQ.SYSTEM_ERROR", "系统异常")
    }

    /// The business said no.
    pub(in crate::sim::gateway) fn failed(sub_code: &str, sub_msg: &str) -> Node {
        Node::refused("40004", "Business Failed", sub_code, sub_msg)
    }

    pub(in crate::sim::gateway) fn refused(
        code: &'static str,
        msg: &'static str,
        sub_code: &str,
        sub_msg: &str,
    ) -> Node {
        let node = Node { code, msg, fields: BTreeMap::new() };
        node.with("sub_code", sub_code).with("sub_msg", sub_msg)
    }

    pub(in crate::sim::gateway) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Node {
        self.fields.insert(name, value.into());
        self
    }

    /// The same answer with every amount off by so many fen.
    pub(in crate::sim::gateway) fn with_amounts_off(mut self, fen: i64) -> Node {
        const AMOUNTS: [&str; 7] = [
            "total_amount",
            "receipt_amount",
            "buyer_pay_amount",
            "invoice_amount",
            "refund_fee",
            "refund_amount",
            "send_back_fee",
        ];
        for (_, value) in self.fields.iter_mut().filter(|(name, _)| AMOUNTS.contains(*name)) {
            let off = value.as_str().and_then(yuan::parse).map(|amount| yuan::format((amount + fen).max(0)));
            if let Some(off) = off {
                *value = off.into();
            }
        }
        self
    }

    /// The sub code if there is one, else the code: for the log.
    pub(in crate::sim::gateway) fn outcome(&self) -> &str {
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

/// The whole answer to a verified request. `certificate` names the certificate that the signature is of.
pub(in crate::sim::gateway) fn envelope(
    method: &str,
    node: &Node,
    signing: Signing,
    certificate: Option<&str>,
    keys: &Keys,
) -> Result<String, ring::error::Unspecified> {
    let name = method.replace('.', "_");
    let node = node.render();
    let certificate =
        certificate.map(|serial| format!("\"alipay_cert_sn\":\"{serial}\",")).unwrap_or_default();
    Ok(match keys.sign_as(node.as_bytes(), signing)? {
        Some(signature) => {
            format!("{{\"{name}_response\":{node},{certificate}\"sign\":\"{signature}\"}}")
        }
        None => format!("{{\"{name}_response\":{node}}}"),
    })
}

/// The answer to a request that is not understood or not verified: nobody's, so unsigned.
pub(in crate::sim::gateway) fn error_envelope(node: &Node) -> String {
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
