//! The texts themselves, both languages side by side. `{}` is a place for a value.

use super::Lang;

macro_rules! messages {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// A text of a screen.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Msg {
            $(#[doc = $en] $name,)*
        }

        impl Msg {
            /// All of them, for tests.
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text in a language.
            pub fn text(self, lang: Lang) -> &'static str {
                match lang {
                    Lang::En => match self { $(Self::$name => $en,)* },
                    Lang::ZhHans => match self { $(Self::$name => $zh,)* },
                }
            }
        }
    };
}

impl Msg {
    /// The text with values in its places, in order.
    pub fn with(self, lang: Lang, values: &[&str]) -> String {
        let mut out = String::new();
        let mut values = values.iter();
        let mut pieces = self.text(lang).split("{}");
        out.push_str(pieces.next().unwrap_or(""));
        for piece in pieces {
            out.push_str(values.next().copied().unwrap_or(""));
            out.push_str(piece);
        }
        out
    }
}

messages! {
    // Doors.
    Stations: "Stations", "收银台";
    CashierPage: "Cashier", "收银";
    DisplayPage: "Customer display", "顾客屏";
    QueuePage: "Not sent yet", "待上传记录";
    ForManager: "For the manager", "店长页面";
    NotDone: "That was not done", "未完成";
    BackToPage: "Back to the page", "返回页面";
    ConnectionLost: "The till does not answer. What is shown may be old.", "收银机无响应，屏幕内容可能已过时。";
    NoSuchStation: "There is no station of that name.", "没有这个收银台。";
    NoSuchPage: "There is no such page.", "没有这个页面。";

    // Signing in.
    SignIn: "Sign in", "登录";
    SignOut: "Sign out", "退出登录";
    SignOutWho: "Sign out {}", "退出登录（{}）";
    SignInForQueue: "Manager, sign in to see what is not sent yet", "店长请登录，查看待上传记录";
    ChooseName: "Who are you?", "请选择姓名";
    Pin: "PIN", "密码";
    Clear: "Clear", "清空";
    Backspace: "Delete the last digit", "删除一位";
    SignedInHere: "{} is signed in here. Signing in takes over the station.", "{} 正在此登录，登录后将由您接管。";
    NobodyCanSignIn: "Nobody can sign in here yet.", "目前没有可登录的人员。";
    WrongPin: "That is not the right PIN. Try again.", "密码不正确，请重试。";
    LockedUntil: "Too many wrong PINs. Locked until {}.", "密码错误次数过多，锁定至 {}。";
    TypePin: "Type the PIN.", "请输入密码。";
    OnlyManagers: "Only a manager can do this. Choose a manager and type the PIN.", "只有店长可以操作，请选择店长并输入密码。";
    SessionOver: "You are not signed in any more. Sign in again.", "登录已失效，请重新登录。";
    Cashier: "Cashier", "收银员";
    Manager: "Manager", "店长";
    ManagerApproves: "A manager approves", "店长授权";
    RoleLabel: "Role", "角色";
    CreateFirstManager: "Create the first manager", "创建第一位店长";
    FirstManagerWhy: "Nobody can sign in at this till yet. The first manager can add everybody else.", "这台收银机还没有任何人员。第一位店长可以添加其他人。";
    OneTimeCode: "One-time code", "一次性代码";
    OneTimeCodeWhere: "The file first-manager-code in the till's state folder has it.", "见收银机数据目录中的文件 first-manager-code。";
    WrongOneTimeCode: "That is not the one-time code. The file first-manager-code in the till's state folder has it.", "一次性代码不正确，请查看数据目录中的文件 first-manager-code。";
    NoOneTimeCode: "This till has no one-time code. Start it again: it is written to the file first-manager-code in its state folder.", "这台收银机没有一次性代码，请重启；代码写在数据目录的文件 first-manager-code 中。";
    Name: "Name", "姓名";
    NewPin: "New PIN", "新密码";
    NewPinAgain: "The same PIN again", "再次输入密码";
    PinRule: "4 to 8 digits, not 1234 and not one digit repeated.", "4 至 8 位数字，不能是 1234 或同一数字重复。";
    PinsDiffer: "The two PINs are not the same. Type both again.", "两次输入的密码不一致，请重新输入。";
    PinObvious: "That PIN is the first one a thief tries. Choose another.", "这个密码太容易被猜到，请换一个。";
    PinLength: "A PIN has 4 to 8 digits.", "密码为 4 至 8 位数字。";
    NameMissing: "Type a name.", "请输入姓名。";
    BadSignInWord: "The word to sign in with is 1 to 16 of a-z, 0-9 and -.", "登录名由 1 至 16 个 a-z、0-9 或 - 组成。";
    CreateManager: "Create manager", "创建店长";
    AddPerson: "Add a person", "添加人员";
    SignInWord: "Short word for this person, such as mia", "登录名，例如 mia";

    // The sale.
    EmptySale: "Scan an item or press a menu key.", "请扫描商品或按菜单键。";
    NoShiftYet: "No shift is open. Open one under your name at the top.", "尚未开班，请在右上角姓名处开班。";
    Total: "Total", "合计";
    Subtotal: "Subtotal", "小计";
    Tax: "Tax", "税额";
    PaidOfIt: "Paid of it", "已付";
    Voided: "voided", "已作废";
    ChangeLine: "Change this line", "修改此行";
    Quantity: "Quantity", "数量";
    SetQuantity: "Set quantity", "修改数量";
    VoidLine: "Void this line", "作废此行";
    OverridePrice: "Change the price", "改价";
    NewPrice: "New price of one", "新单价";
    Price: "Price of one", "单价";
    Reason: "Reason", "原因";
    ReasonIfAny: "Reason, if you like", "原因（可不填）";
    OnDesk: "On {}", "桌台 {}";
    MemberKnown: "Member", "会员";
    CouponMissing: "{} more for this coupon", "还差 {} 可用";
    ReturnCoupon: "Take this coupon off", "取下此券";
    Pay: "Pay", "结账";
    Back: "Back to the basket", "返回修改";
    Hold: "Hold", "挂单";
    HeldCount: "Held ({})", "挂单（{}）";
    HeldSales: "Held sales", "挂单列表";
    NothingHeld: "Nothing is held.", "没有挂单。";
    Desks: "Desks", "桌台";
    DesksHow: "Opens an empty bill on a desk, or takes its bill to the front.", "打开空桌台的账单，或把该桌账单取到前台。";
    PutOnDesk: "Put on a desk", "放到桌台";
    Free: "free", "空闲";
    Taken: "taken", "占用";
    VoidSale: "Void sale", "整单作废";
    SaleVoided: "This sale was given up.", "此单已作废。";
    SaleFrozen: "This sale was written by another version of Till. A manager decides about it.", "此单由其他版本写入，已冻结，请店长处理。";
    FixedWhilePaying: "The basket is fixed while a payment is under way.", "付款进行中，不能修改商品。";
    SellingStopped: "Selling has stopped. Call the manager.", "已停止销售，请找店长。";

    // The menu.
    TypeCode: "Type a code", "输入条码";
    Enter: "Enter", "确定";
    NoMenuKeys: "The shop has no menu keys yet. Scan the items.", "还没有菜单键，请扫描商品。";
    OpenPrice: "type price", "输入价格";
    AddToSale: "Add to the sale", "加入";

    // Money.
    ScanTheCode: "Scan the customer's code", "请扫描顾客付款码";
    ScanTheCodeHow: "The customer shows the pay code of the wallet. It is sent once.", "请顾客出示钱包付款码。付款码只会发送一次。";
    OrCash: "Or cash", "或现金";
    OrShowCode: "Or show a code", "或出示收款码";
    ShowCode: "Show a code to scan", "显示收款码";
    ShowCodeHow: "The customer scans it with Alipay or WeChat.", "顾客用支付宝或微信扫码。";
    ShowCodeOf: "Show a code of {}", "显示{}收款码";
    ShowCodeAway: "Head office cannot be reached: no code can be shown now.", "无法连接总部，暂时不能显示收款码。";
    PrintCode: "Print the code", "打印收款码";
    TakeCodeBack: "Take the code back", "收回收款码";
    CodeLasts: "Good for", "有效时间";
    LetScan: "Waiting for a scan", "等待顾客扫码";
    PayFromStored: "Pay from stored value", "储值支付";
    StoredHow: "Or scan the member's code: it pays from the member's stored value.", "或扫描会员码，用会员储值支付。";
    TakeLeft: "Take {} as a part", "先收 {}";
    ScanMemberNow: "Scan the member's code again, or press Pay from stored value: {} is taken.", "请再次扫描会员码，或按储值支付，将收取 {}。";
    TooLittleLeft: "There is {} on the member's account: that is too little.", "会员储值余额 {}，不足以支付。";
    SafeScan: "Have the customer scan it. For other money, take it back first.", "请顾客扫码。如用其他方式收款，请先收回。";
    SafeProof: "Scan the proof on the customer's phone, or type its digits. For other money, take the code back first.", "请扫描顾客手机上的付款凭证，或输入其数字。如用其他方式收款，请先收回。";
    PayUnheard: "The till is off line. The customer scans the code and pays; the phone then shows a proof.", "收银机离线。顾客扫码付款后，手机会显示付款凭证。";
    TypeDigits: "Digits on the phone", "手机上的数字";
    TakeDigits: "Check them", "核对";
    DigitsWrong: "Those digits are not the proof of this payment. Tries left: {}.", "数字不符，还可输入 {} 次。";
    DigitsNoMore: "Wrong digits were typed three times. Scan the square code on the phone, or take the code back.", "数字已输错三次，请扫描手机上的二维码，或收回收款码。";
    SafeSplit: "Take what there is, and the rest otherwise.", "先收余额，其余用其他方式收取。";
    PayCodeReady: "The code is being made ready.", "正在生成收款码。";
    PayCodeShown: "The code is shown. The customer scans it.", "收款码已显示，请顾客扫码。";
    ScanToPay: "Scan to pay", "扫码付款";
    ScanWithAny: "with Alipay or WeChat", "支付宝 / 微信";
    ScanWith: "with {}", "使用{}";
    Exact: "exact", "正好";
    CashReceived: "Cash received", "收到现金";
    TakeCash: "Take cash", "收现金";
    CancelPayment: "Cancel this payment", "取消此付款";
    Paying: "Paying", "付款中";
    PayingUnsure: "Not known yet", "结果未知";
    PayingBack: "Being taken back", "撤销中";
    PaymentDeclined: "Not paid", "未付款";
    PaymentTakenBack: "Taken back", "已撤销";
    Paid: "PAID", "已付款";
    Change: "Change", "找零";
    NextCustomer: "Scan the next item to begin.", "扫描下一件商品开始新单。";
    ReceiptNumber: "Receipt {}", "小票 {}";
    SafeWait: "Wait. Do not give out the goods yet.", "请稍候，先不要交付商品。";
    SafeAsk: "Keep the goods. Do not scan another code: the till keeps asking by itself.", "先不要交付商品，也不要再扫码：收银机会自动查询。";
    SafePhone: "Wait for the phone, or cancel to take the bill back.", "等待手机付款，或取消以收回账单。";
    SafeBack: "Wait until it is taken back, or put the sale aside. Then take other money.", "等待撤销完成或先挂单，再用其他方式收款。";
    SafeCall: "Keep the goods, put the sale aside and call the manager.", "先不要交付商品，请挂单并找店长。";
    SafeAgain: "Ask for a fresh code, or take cash.", "请顾客刷新付款码，或收现金。";
    SafeOther: "Ask for other money: another wallet, or cash.", "请顾客换其他方式支付，或收现金。";
    SafeTell: "Take other money, and tell the manager.", "请换其他方式收款，并告知店长。";
    SafeRetry: "Nothing was sent. Try again, or take cash.", "尚未发送。请重试，或收现金。";
    SafeGoesBack: "It goes back by itself. Take other money.", "款项会自动退回，请用其他方式收款。";
    SafeRest: "Take the rest: scan a code, or take cash.", "请收取剩余金额：扫码或收现金。";
    SafeNothing: "Nothing was taken. Scan a fresh code, or take cash.", "没有扣款。请扫新的付款码，或收现金。";
    PayResolved: "The customer has the money back by hand.", "已人工退款给顾客。";
    PartPaid: "A part is paid.", "已付一部分。";
    StillToPay: "Still to pay", "还需支付";
    NextPart: "The next tender takes", "下一笔收取";
    PayInParts: "Pay in parts", "分开支付";
    PartAmount: "How much of it", "金额";
    TakePart: "Take this part next", "先收这一部分";
    TakeAll: "Take all of it", "收取全部";
    ParkIt: "Put aside and serve the next", "挂单，先服务下一位";

    // Money back.
    GiveBack: "Give money back", "退款";
    GiveBackHow: "Scan the code on the receipt, or type its number, such as 9f3c-004217 or 4217.", "扫描小票上的码，或输入单号，例如 9f3c-004217 或 4217。";
    GiveBackReceipt: "Give back: receipt {}", "退款：小票 {}";
    ReceiptNo: "Receipt number", "小票单号";
    FindReceipt: "Find", "查找";
    ReceiptLetGo: "This till has no receipt {}, or keeps it no longer. Look at the number again; head office has every receipt.", "此收银机没有或不再保留单号为 {} 的小票。请核对单号；总部保存所有小票。";
    NoSuchReceipt: "This till has no receipt {}. Look at the number again; only the till that sold gives back.", "此收银机没有单号为 {} 的小票。请核对单号；只有销售的收银机可以退款。";
    NothingLeft: "Nothing is left to give back of this sale.", "此单已无可退金额。";
    LeftToGiveBack: "Left to give back", "可退金额";
    LeftOf: "left: {}", "可退 {}";
    GoesBackTo: "It goes back as it was paid", "按原支付方式退回";
    Cash: "Cash", "现金";
    BackWhole: "Give all of it back", "全部退款";
    BackLines: "Give these lines back", "退所选商品";
    BackAmount: "Give an amount back", "按金额退款";
    WithoutReceipt: "Without a receipt (cash, up to the shop's limit)", "无小票退款（现金，限额内）";
    TryRefundAgain: "Try again", "重试退款";
    EndRefund: "End it otherwise", "其他方式处理";
    EndInCash: "Paid out in cash", "已改付现金";
    EndOtherwise: "Settled in another way", "其他方式处理";
    HowEnded: "How it ended", "处理方式";
    SayWhatHappened: "Say what became of it", "说明结果";
    WhatWasFound: "What the wallet's own pages say", "钱包后台显示";
    NotCharged: "The customer was not charged", "顾客未被扣款";
    BackByHand: "Charged, and given back by hand", "已扣款，已人工退回";
    Acknowledge: "Seen: decided", "已处理";
    GoodToKnow: "Good to know", "通知";
    Seen: "Seen", "知道了";
    NoteParkedPaid: "Put aside, now paid: the goods may go", "挂单已付款，可交付商品";
    NoteParkedInPart: "Put aside: a part is paid", "挂单已付一部分";
    NoteParkedUnpaid: "Put aside: not paid. Take it up again", "挂单未付款，请取回处理";
    NoteLate: "Money came late and goes back by itself", "迟到的款项正在自动退回";
    NoteGoingBack: "Money is going back to the wallet", "正在退款到钱包";
    BetweenShifts: "Taken while no shift was open; it is in the cash you count now", "未开班期间收款；已在您清点的现金中";
    Carried: "Not finished: {}. It is carried over to the next shift.", "未完成 {} 项，将转入下一班。";
    CashGivenBack: "Cash given back", "退出现金";
    PayDrawn: "Sent to the wallet.", "已发送至钱包。";
    PayPhone: "The phone is paying.", "手机付款中。";
    PayPending: "The customer confirms on the phone.", "等待顾客在手机上确认。";
    PayUnsure: "No answer from the wallet yet. The till keeps asking.", "钱包尚未答复，收银机会继续查询。";
    PayCancelling: "Being taken back.", "正在撤销。";
    PayCancelUnsure: "Not known whether it was taken back. The till keeps asking.", "撤销结果未知，收银机会继续查询。";
    PayCancelled: "Taken back. Nothing was paid.", "已撤销，没有扣款。";
    PayAbandoned: "Given up here; head office is being told.", "已在此放弃，正在通知总部。";
    PayLate: "Paid after it was given up. The money goes back by itself.", "放弃后才到账，款项将自动退回。";

    // Paper, drawer, devices.
    PaperPrinted: "receipt printed", "小票已打印";
    PaperWaiting: "receipt waits for the printer", "小票等待打印";
    PaperPrinting: "receipt is being printed", "小票打印中";
    PaperUnsure: "look whether the receipt is there", "请查看小票是否已打印";
    PaperFailed: "receipt not printed", "小票未打印";
    PaperNone: "no receipt", "无小票";
    Reprint: "Reprint", "重打小票";
    ReprintLarge: "Reprint in large type", "大字重打";
    LargePrint: "Receipt in large type", "大字小票";
    UsualPrint: "In usual type", "普通字号";
    AsText: "As text", "文本";
    SettlePaper: "I looked: done", "已查看，完成";
    NoPaperHeld: "No receipt stands still in the printer any more.", "打印机里没有停住的小票。";
    GiveUpPaper: "Give up this receipt", "放弃打印此小票";
    NothingJammed: "The printer is not jammed any more.", "打印机已不再卡住。";
    ClearedGoOn: "Cleared, go on", "已清除，继续";
    SettleDrawer: "The drawer is seen to", "钱箱已处理";
    NeedsYou: "Needs you", "需要处理";
    NothingNeedsYou: "Nothing needs you.", "没有需要处理的事项。";
    ScannerReady: "Scanner ready", "扫码枪正常";
    ScannerAbsent: "No scanner", "未配置扫码枪";
    ScannerGone: "Scanner gone", "扫码枪断开";
    ScannerAsks: "Scanner needs you", "扫码枪需处理";
    PrinterReady: "Printer ready", "打印机正常";
    PrinterAbsent: "No printer", "未配置打印机";
    PrinterGone: "Printer gone", "打印机断开";
    PrinterAsks: "Printer needs you", "打印机需处理";
    ScannerTrouble: "Scanner: {}", "扫码枪：{}";
    PrinterTrouble: "Printer: {}", "打印机：{}";
    DisplayReady: "Display ready", "顾客屏正常";
    DisplayGone: "Display gone", "顾客屏断开";
    DisplayTrouble: "Customer display: {}", "顾客屏：{}";
    DrawerReady: "Drawer ready", "钱箱正常";
    DrawerGone: "Drawer gone", "钱箱断开";
    DrawerTrouble: "Drawer: {}", "钱箱：{}";

    // Shift.
    MoreWho: "{} ▾", "{} ▾";
    Shift: "Shift", "班次";
    ShiftNumber: "Shift {}", "第 {} 班";
    SalesCount: "sales: {}", "{} 单";
    CashTaken: "Cash", "现金";
    Wallets: "Wallets", "钱包";
    Vouchers: "Vouchers", "代金券";
    VoucherAnew: "Voucher: head office gives a new one", "代金券（由总部补发）";
    Refunds: "Refunds", "退款";
    ExpectedCash: "Cash that should be in the drawer", "钱箱应有现金";
    CashCounted: "Cash counted", "清点现金";
    CloseShift: "Close the shift", "交班";
    FloatInDrawer: "Cash in the drawer now", "钱箱备用金";
    OpenShift: "Open a shift", "开班";
    OpenDrawer: "Open the drawer", "打开钱箱";
    LastReceipts: "Last receipts", "最近小票";
    NoReceiptsYet: "No receipts yet.", "还没有小票。";

    // Customer display.
    Welcome: "Welcome", "欢迎光临";
    WelcomeBack: "Welcome back", "欢迎回来";
    ThankYou: "Thank you", "谢谢惠顾";
    ShowPayCode: "Please show your pay code, or pay cash", "请出示付款码，或支付现金";
    PayingPlease: "Please confirm on your phone", "请在手机上确认";
    DeskQrHint: "You can also scan the code on the desk and pay with your phone", "也可以扫描桌上的二维码用手机付款";

    // The manager's queue.
    RecordWaits: "{} record waiting", "{} 条待上传";
    RecordsWait: "{} records waiting", "{} 条待上传";
    WorthNotSent: "Worth of receipts not sent", "未上传小票金额";
    InReceipts: "receipts: {}", "共 {} 张小票";
    ReceivedOf: "{} of {} received", "已接收 {} / {}";
    AndMore: "and {} more", "另有 {} 条";
    ClockAgrees: "this till's clock agrees with head office", "本机时间与总部一致";
    ClockBehind: "this till's clock is {} behind head office", "本机时间比总部慢 {}";
    ClockAheadOf: "this till's clock is {} ahead of head office", "本机时间比总部快 {}";
    NextAttempt: "next attempt in", "距下次尝试";
    AtRisk: "Coupons, vouchers and proofs not confirmed", "待确认的券和凭证";
    AtRiskItems: "{} of {} items", "{} / {} 项";
    OfAtMost: "at most {}", "上限 {}";
    OldestAtRisk: "Oldest not confirmed", "最早待确认";
    SilentFor: "Without contact", "失联时间";
    LimitIn: "limit in", "距上限";
    LimitIsReached: "limit reached", "已达上限";
    NotReceivedCount: "Records not received yet", "尚未接收的记录";
    OldestWaits: "oldest waits {}", "最早等待 {}";
    BarRecorded: "Not received yet: {}", "尚未接收：{}";
    BarReceived: "Received, not ruled on yet: {}", "已接收待审核：{}";
    BarRuled: "Ruled on: {}", "已审核：{}";
    BarWords: "{} records on this till; head office has received {} and ruled on {}.", "本机共 {} 条记录；总部已接收 {}，已审核 {}。";
    Decide: "Decide", "处理";
    WhatToDo: "What to do: {}", "处理建议：{}";
    AllItems: "All", "全部";
    OpenItems: "Not finished", "未完成";
    NeedsDecision: "Needs a decision", "待处理";
    KindLabel: "What", "类型";
    AgeLabel: "How old", "时间";
    AnyAge: "any age", "不限";
    OlderThan: "older than {}", "超过 {}";
    AmountFrom: "Amount from", "金额不低于";
    AmountTo: "to", "至";
    Show: "Show", "筛选";
    NoFilter: "Show everything", "清除筛选";
    ItemsCount: "Items: {}", "共 {} 项";
    NothingHere: "No items.", "没有符合条件的项目。";
    OlderItems: "Older", "更早";
    NewestItems: "Newest", "最新";
    Items: "Items", "项目";
    BackToQueue: "Back to the list", "返回列表";
    DoSomething: "Do something about it", "处理此项";
    WhyExample: "in a few words", "请简要说明";
    NothingToDo: "Nothing can or need be done about it now.", "目前无需处理。";
    ResolveAs: "Resolve as:", "处理为：";
    Facts: "Facts", "详情";
    Series: "Books", "账本";
    RecordNumber: "Record", "记录号";
    TillLabel: "Till", "收银机";
    StationLabel: "Station", "收银台";
    TimeHere: "Time on this till", "本机时间";
    TimeCorrected: "By head office's clock", "总部时间";
    TenderLabel: "Paid by", "付款方式";
    SerialLabel: "Coupon or voucher", "券号";
    CampaignLabel: "Campaign", "活动";
    TriesLabel: "Attempts", "尝试次数";
    FirstTry: "First attempt", "首次尝试";
    LastTry: "Last attempt", "最近尝试";
    Comma: ", ", "、";
    ActedBy: "{}: {}", "{}：{}";
    LastTryOf: "Last attempt ({})", "最近尝试（第 {} 次）";
    ReceivedAt: "Received", "总部接收";
    HashLabel: "Hash", "哈希";
    OfSale: "Of a sale", "所属销售";
    BelongsTo: "{} records in all", "共 {} 条记录";
    Practice: "Practice", "练习";
    Timeline: "Timeline", "过程";
    TookPlace: "Recorded on this till", "本机已记录";
    ReceivedThere: "Head office has it", "总部已接收";
    RuledThere: "Head office ruled on it", "总部已审核";
    ForTechnician: "For a technician", "供技术人员查看";
    NoSuchItem: "There is no such record in this till's journal.", "本机日志中没有这条记录。";
    SendExample: "for example: the line is back", "例如：网络已恢复";
    SendWhy: "Whatever waits is sent at once, without waiting for the next attempt.", "所有等待的记录将立即上传，不等下次尝试。";
    Checklist: "Checklist after an outage", "恢复后核对清单";
    ChecklistWhy: "Look here once the line is back, before the day is closed.", "网络恢复后、日结前请核对。";
    PrintChecklist: "Print this list", "打印清单";
    PrintSent: "The list is on its way to the printer at {}.", "清单已发送到 {} 的打印机。";
    NoPrinterReady: "No printer is ready: look at its cable and its paper.", "没有可用的打印机，请检查连线和纸。";
    CheckReceived: "Head office has received all {} records.", "总部已接收全部 {} 条记录。";
    CheckReceivedOf: "Head office has received {} of {} records. The rest is sent by itself.", "总部已接收 {} / {} 条记录，其余会自动上传。";
    CheckRuled: "Head office has ruled on all {} records.", "总部已审核全部 {} 条记录。";
    CheckRuledOf: "Head office has ruled on {} of {} records. Wait for the rest.", "总部已审核 {} / {} 条记录，请等待。";
    CheckSumsKept: "From record {} to {} of today's books, head office has the same records and sums as this till, which keeps no older ones: {}.", "今天的账本第 {} 至 {} 条记录，总部与本机记录和金额一致（更早的记录本机不再保留）：{}。";
    CheckSumsSame: "Up to record {} of today's books, head office has the same records and sums as this till: {}.", "今天的账本截至第 {} 条记录，总部与本机记录和金额一致：{}。";
    CheckSumsOther: "Record {} is another one at head office. Stop, and call head office.", "第 {} 条记录与总部不同。请停止操作并联系总部。";
    CheckSumsUnknown: "Head office has not said yet what it has: the sums cannot be compared.", "总部尚未回应，无法核对金额。";
    CheckNoneRefused: "Nothing is refused, expired or parked.", "没有被拒绝、过期或搁置的项目。";
    CheckRefused: "Refused, expired or parked: {}. Decide about each.", "被拒绝、过期或搁置：{} 项，请逐项处理。";
    CheckNoneHeld: "Nothing is held.", "没有暂缓的项目。";
    CheckHeld: "Held: {}. Release or resolve each.", "已暂缓：{} 项，请放行或处理。";
    CheckPapers: "Every receipt is known to be printed.", "所有小票均已确认打印。";
    CheckPapersOpen: "Papers or drawers unconfirmed: {}. Look at them and say so.", "小票或钱箱未确认：{}，请查看并确认。";
    CheckPayments: "No payment is in doubt.", "没有结果未知的付款。";
    CheckPaymentsOpen: "Payments or refunds in doubt: {}. Find out what became of them.", "付款或退款结果未知：{} 笔，请核实。";
    UnsentHere: "{} records are not at head office yet. They are safe here and are sent by themselves.", "{} 条记录尚未上传总部，已安全保存在本机，会自动上传。";
    Number: "No.", "序号";
    Time: "Time", "时间";
    What: "What", "内容";
    Receipt: "Receipt", "小票";
    Amount: "Amount", "金额";
    State: "State", "状态";
    SendNow: "Send now", "立即上传";
    LinkAbsent: "No head office is configured", "未配置总部";
    LinkPairing: "Waiting for a manager to approve this till at head office", "等待店长在总部确认此收银机";
    LinkOnline: "Connected to head office since {}", "自 {} 起与总部连接正常";
    LinkOnlineNotTaken: "Connected to head office since {}, but it does not take everything", "自 {} 起已连接总部，但有内容未被接收";
    LinkOffline: "Offline since {}", "自 {} 起离线";
    LinkAbsentShort: "no head office", "无总部";
    LinkPairingShort: "not paired", "未配对";
    LinkOnlineShort: "online", "在线";
    LinkOfflineShort: "offline, selling goes on", "离线，可继续销售";
    CompareFingerprint: "Compare this fingerprint:", "请核对指纹：";
    HeardAt: "Last heard {}", "最近联系 {}";
    HeardNever: "Not heard since the till started", "启动后尚未联系上";
    NextTry: "next attempt in {} s", "{} 秒后重试";
    AgoSeconds: "{} s", "{} 秒";
    AgoMinutes: "{} min", "{} 分钟";
    AgoHours: "{} h", "{} 小时";
    AgoDays: "{} days", "{} 天";

    // Lost books, the disk and the clock, for the manager.
    DiskLeft: "Disk left", "磁盘剩余";
    DiskFine: "selling stops below {}", "低于 {} 时停止开新单";
    DiskLow: "getting full", "快满了";
    DiskStopped: "full: nothing new is sold", "已满，停止开新单";
    DiskLowDo: "The disk is getting full: {} left. Free some space today: below {} nothing new is sold.", "磁盘快满：剩余 {}。请在今天内清理磁盘；低于 {} 时不能开新单。";
    DiskStoppedDo: "The disk is full: {} left, and below {} nothing new is sold. What was begun can be paid. Free some space: delete files that are not part of Till. Selling then resumes by itself.", "磁盘已满：剩余 {}，低于 {} 时不能开新单；已开的单可以付完。请清理收银程序以外的文件，之后自动恢复销售。";
    ClockFarBehind: "This till's clock is {} behind head office's. Set it: receipts and lists show its time.", "本机时间比总部慢 {}，请校正：小票和列表显示本机时间。";
    ClockFarAhead: "This till's clock is {} ahead of head office's. Set it: receipts and lists show its time.", "本机时间比总部快 {}，请校正：小票和列表显示本机时间。";
    NewBooks: "New books: cash only", "已另立新账：只收现金";
    NewBooksWhat: "This till's books were damaged, gone, or older than what head office has of them. They were set aside as they were, and the till began new ones by itself.", "本机账本损坏、丢失，或比总部已接收的旧。原文件已原样另存，收银机自动另立新账。";
    NewBooksCash: "Only cash is taken: no wallets, coupons, vouchers or phones, until a manager has looked and adopted the new books.", "目前只收现金，不收钱包、优惠券、代金券和手机付款，直到店长核对并启用新账。";
    AdoptBooks: "Adopt the new books", "启用新账";
    AdoptWhy: "Look at what head office lacks first, and keep that list. From then on everything is taken again.", "请先查看总部缺少的记录并保存清单。启用后恢复所有收款方式。";
    AdoptExample: "for example: the disk was replaced", "例如：已更换磁盘";
    LostBooks: "Books that were lost", "丢失的账本";
    LostBooksWhy: "What could be read of books that were set aside and that head office is not known to have. Compare it with receipts and wallets, and tell head office.", "另存账本中可读出、而总部可能没有的记录。请与小票和钱包核对，并告知总部。";
    LostLink: "Head office lacks {} records of books that were lost", "总部缺少已丢失账本的 {} 条记录";
    LostNone: "No books of this till were lost.", "本机没有丢失过账本。";
    LostNothing: "Nothing is known of these books that head office lacks.", "没有发现总部缺少的记录。";
    LackingCount: "Head office lacks", "总部缺少";
    LackingRecords: "{} records", "{} 条记录";
    LackingOf: " (receipts: {}), after record {}", "（共 {} 张小票），在第 {} 条之后";
    LackingWorth: "Worth of receipts", "小票金额";
    LackingUnread: "Could not be read", "无法读取";
    LackingRun: "{} to {}", "{} 至 {}";
    LackingMore: "{} more are not listed here. The files have them.", "另有 {} 条未列出，文件中仍有。";
    WholeList: "The whole list", "完整清单";
    WhyLost: "What was found: {}", "发现的情况：{}";
    LostDamaged: "The files are damaged.", "账本文件已损坏。";
    LostMissing: "The books are gone, or they are not the ones that head office has.", "账本不见了，或与总部已收到的不一致。";
    LostRestored: "A copy was put in their place.", "已换用备份。";
    WhereFilesAre: "Where the files are", "文件位置";
    EarlierSeries: "Earlier books:", "以前的账本：";
    SeriesUnsent: "Books {} still have {} records for head office. They go up by themselves.", "账本 {} 还有 {} 条记录待上传总部，会自动上传。";
    SeriesShown: "Books {} are shown, not those of today.", "当前显示账本 {}，不是今天的。";
    TodaysSeries: "Those of today", "今天的账本";
    CheckAdopt: "The till began new books by itself and takes cash only. Look at what head office lacks ({} records) and adopt them.", "本机已自动另立新账，只收现金。请核对总部缺少的 {} 条记录并启用新账。";
    CheckLacking: "Head office lacks {} records of books that were lost. Compare them, tell head office, then have the folder aside removed.", "总部缺少已丢失账本的 {} 条记录。请核对并告知总部，然后请人移除 aside 文件夹。";
    CheckBooks: "Of books that were lost, head office lacks nothing that is known.", "未发现总部缺少已丢失账本的记录。";
    UnsentWorth: "The receipts among them come to {}.", "其中小票金额共 {}。";

    // While head office is silent.
    LimitReached: "Head office cannot be reached: no coupons, vouchers or typed proofs until it is. Cash and wallets go on.", "连不上总部：暂不接受优惠券、代金券和手输凭证。现金和钱包照常。";
    ValueNear: "Coupons and codes worth {} wait for head office. From {} on no more are taken.", "待总部确认的券和凭证共 {}，达到 {} 后暂停接受。";
    ItemsNear: "{} coupons and codes wait for head office. At {} no more are taken.", "有 {} 张券和凭证待总部确认，达到 {} 张后暂停接受。";
    OldestNear: "A coupon or code waits long for head office. After {} no more are taken.", "有券或凭证等待总部确认已久，超过 {} 后暂停接受。";
    SilenceNear: "Head office has not been heard for {}. After {} no more coupons and codes are taken.", "已 {} 未联系到总部，超过 {} 后暂停接受券和凭证。";

    // What is held, what to press, and what becomes of it.
    HeldItems: "Held: {}", "已暂缓：{} 项";
    HeldDo: "Release or resolve each.", "请逐项放行或处理。";
    LookAt: "Look", "查看";
    HeldThere: "Head office holds it", "总部已暂缓";
    SeeToIt: "See to it", "去处理";
    SendingNow: "Sending now.", "正在上传。";
    TryingNow: "trying now", "正在重试";
    SeriesUntil: "{} (until {})", "{}（至 {}）";
    ReceiptsCome: "{} in receipts", "小票共 {}";
    ReceiptsNone: "no receipts yet", "尚无小票";

    WithoutOffer: "Not taken off: {}. This till's share of the offer is used up.", "未优惠：{}。分给本机的名额已用完。";

    // Bad input and failures.
    BadAmount: "{} is not an amount. Type digits such as 12.80.", "{} 不是金额，请输入如 12.80 的数字。";
    BadNumber: "{} is not a quantity. Type a number from 1 to 999.", "{} 不是数量，请输入 1 至 999。";
    BadField: "The field {} is missing or not as it should be. Load the page again.", "字段 {} 缺失或不正确，请刷新页面。";
    UnknownAct: "There is no act of that name.", "没有这个操作。";
    OtherSite: "This came from another site and was not done. Use the till's own page.", "请求来自其他网站，未执行。请使用收银机自己的页面。";
    OtherHost: "This till does not go by that name. Use its own address.", "收银机没有这个地址，请使用正确地址。";
    TooManyScreens: "Too many screens listen to this till. Close one.", "连接的屏幕过多，请关闭一个。";
    DiskTrouble: "The till cannot read its disk. Call the manager.", "收银机无法读取磁盘，请找店长。";
    FormBroken: "The form did not arrive whole. Try again.", "表单不完整，请重试。";
}
