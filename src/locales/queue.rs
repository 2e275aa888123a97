//! Why an act on the queue is not done, in Chinese; the English stands beside the rule (`queue::allowed`).

/// The Chinese of a sentence; none for one that is not known.
pub(super) fn chinese(words: &str) -> Option<&'static str> {
    SENTENCES.iter().find(|(english, _)| *english == words).map(|(_, chinese)| *chinese)
}

const SENTENCES: [(&str, &str); 16] = [
    ("This is a manager's act itself. It cannot be held.", "这是店长处理记录本身，不能暂缓。"),
    (
        "This is of earlier books, which go up before anything that is done now. Deal with it once head office has ruled.",
        "此项属于以前的账本，会先于现在的操作上传。请等总部审核后再处理。",
    ),
    ("This is held already.", "此项已暂缓。"),
    ("This is held. Release it: head office then rules on it.", "此项已暂缓，请放行，总部随后审核。"),
    ("This was dealt with already. Look at its timeline.", "此项已处理，请查看处理过程。"),
    (
        "Head office has ruled on this, and it stands. What is wrong with it is put right by a refund.",
        "总部已审核入账。如有错误，请用退款更正。",
    ),
    (
        "Head office has ruled on this: it is too late to hold it. Send it again, or resolve it.",
        "总部已审核，不能再暂缓。请重新审核或处理。",
    ),
    ("This is not held.", "此项没有暂缓。"),
    ("This has not reached head office yet. Press Send now.", "此项尚未到达总部，请按立即上传。"),
    ("Head office has this and has yet to rule. Wait for it.", "总部已收到，尚待审核，请等待。"),
    (
        "Head office has not ruled on this yet. Hold it first if it must not count.",
        "总部尚未审核。如不应生效，请先暂缓。",
    ),
    ("There is no such record in this till's journal.", "本机日志中没有这条记录。"),
    ("Say which record.", "请指明记录。"),
    ("Say why: a few words are enough.", "请写明原因，几个字即可。"),
    ("Send now is about the whole queue, not about one record.", "立即上传针对整个队列，不针对单条记录。"),
    (
        "No head office is set up for this till: there is nowhere to send to.",
        "本机没有设置总部，无处可上传。",
    ),
];
