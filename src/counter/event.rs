//! What comes in: scans, commands of people, and reports of the edges.

use crate::money::Money;
use crate::queue::Marks;
use crate::record::body::{PaperOutcome, Parent, Shutdown, TypeSize};
use crate::record::giving_back::{Finding, RefundEnd};
use crate::record::ids::{DeskId, IntentId, JobId, KickId, RefundId, SaleId, StaffId, StationId};
use crate::record::lease::Lease;
use crate::record::line::LineId;
use crate::record::money_moves::{Advice, ProviderName, Settled, Verdict};
use crate::record::queue_act::QueueAct;
use crate::record::{Hash, Header};
use crate::sale::back::Wanted;
use crate::staff::{PinHash, Role};
use jiff::civil::Date;

/// Something that happened outside the till's own thread.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The daemon starts; what was under way when it ended is settled here.
    Booted(Shutdown),
    /// The daemon stops in order.
    Stopping,
    /// Another bundle is in force.
    BundleArrived {
        /// Its version.
        version: u64,
        /// Its hash.
        hash: Hash,
    },
    /// A scanner delivered a scan.
    Scanned {
        /// Whose scanner.
        station: StationId,
        /// What it read.
        scan: RawScan,
    },
    /// A person acts on a page.
    Act(Command),
    /// A provider answered about an intent, or is known not to.
    Provider(IntentId, ProviderReport),
    /// A provider answered about a refund.
    Refund(RefundId, RefundReport),
    /// Paper moved on.
    Print(JobId, PrintReport),
    /// The drawer moved on.
    Drawer(KickId, PrintReport),
    /// A phone asks to pay a desk's bill.
    OrderRequested {
        /// The sale on the desk.
        sale: SaleId,
        /// The bill's version that the phone saw.
        bill_version: u64,
        /// The wallet that the phone pays with.
        provider: ProviderName,
    },
    /// A phone shows a coupon for a desk's bill.
    CouponOffered {
        /// The sale on the desk.
        sale: SaleId,
        /// The coupon, as scanned or pasted.
        token: String,
    },
    /// The cloud's verdict on a record.
    Ruled(Verdict),
    /// A member asked head office to be forgotten.
    MemberForgotten {
        /// By its reference.
        member: String,
    },
    /// A deadline passed.
    DeadlinePassed,
    /// The cloud let out a part of a quota to this till.
    LeaseGranted(Lease),
    /// Leases are over ([`super::Till::has_leases_over`]).
    LeasesOver,
    /// The clock went wrong, or right again ([`super::Till::clock_turned`]).
    ClockTurned,
    /// A state stands for the records of closed days, which are not kept any longer.
    BroughtForward(Forward),
}

/// What the records of closed days came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Forward {
    /// The record after which the state stands; this one is kept.
    pub through: Parent,
    /// The business day of that record.
    pub last_day: Date,
    /// The state, as a start reads it.
    pub state: Vec<u8>,
}

/// A scan as its scanner delivered it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawScan {
    /// The bytes between terminators, AIM identifier taken off.
    pub data: Vec<u8>,
    /// The AIM symbology identifier, `]E0`.
    pub aim: Option<[u8; 3]>,
    /// Milliseconds since the same scanner delivered the same code, if that is within the window that is configured.
    /// What it means depends on the sale.
    pub repeat_of_ms: Option<u64>,
}

impl std::fmt::Debug for RawScan {
    /// Says nothing of the data: it may be a pay code.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawScan({} bytes)", self.data.len())
    }
}

/// A person's act at a station.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Where.
    pub station: StationId,
    /// Who is signed in on the page that sends it.
    pub staff: Option<StaffId>,
    /// Whose PIN was checked for it, where it needs approval.
    pub approver: Option<StaffId>,
    /// The sale and its version that the person saw; an act on something else is refused.
    pub seen: Option<(SaleId, u64)>,
    /// What.
    pub act: Act,
}

/// What a person can do.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Makes the very first person, a manager. The edge has checked the one-time code.
    FirstManager {
        /// Slug to sign in with.
        staff: StaffId,
        /// Name on screens.
        name: String,
        /// Hash of the PIN.
        pin: PinHash,
    },
    /// Adds a person; a manager's act.
    AddStaff {
        /// Slug to sign in with.
        staff: StaffId,
        /// Name on screens.
        name: String,
        /// What they may do.
        role: Role,
        /// Hash of the PIN.
        pin: PinHash,
    },
    /// Takes over the station. The edge has checked the PIN.
    SignIn,
    /// Leaves it.
    SignOut,
    /// Begins a shift.
    OpenShift {
        /// Cash in the drawer.
        float: Money,
    },
    /// Ends it.
    CloseShift {
        /// Cash counted.
        counted: Money,
    },
    /// Presses a menu key.
    PressKey {
        /// The item.
        sku: String,
        /// Slugs of its modifiers.
        modifiers: Vec<String>,
        /// Price of one, where the item has none.
        price: Option<Money>,
        /// How many.
        quantity: i64,
    },
    /// Types a code that the scanner would read.
    TypeCode(String),
    /// Changes a line's quantity, in steps of its unit.
    SetQuantity {
        /// Which line.
        line: LineId,
        /// Steps.
        value: i64,
    },
    /// Voids a line.
    VoidLine {
        /// Which line.
        line: LineId,
        /// Why, if said.
        reason: Option<String>,
    },
    /// Changes a price by hand; needs a manager.
    OverridePrice {
        /// Which line.
        line: LineId,
        /// The new price of one.
        price: Money,
        /// Why.
        reason: String,
    },
    /// Takes a coupon off again.
    ReturnCoupon {
        /// Its serial.
        serial: String,
    },
    /// Fixes the total: the tender state.
    Pay,
    /// Back from the tender state to the basket.
    Back,
    /// Says how much of what is due the next tender takes; none for all of it.
    Part {
        /// How much.
        amount: Option<Money>,
    },
    /// Gives money back of a paid sale, to whoever paid.
    GiveBack {
        /// Of which sale.
        sale: SaleId,
        /// How many returns it had when the person looked.
        returns_seen: u32,
        /// What of it.
        wanted: Wanted,
        /// Why.
        reason: String,
    },
    /// Gives cash back without a receipt; needs a manager.
    GiveBackWithoutReceipt {
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// Tries a refund again that the wallet refused.
    RetryRefund {
        /// Which.
        refund: RefundId,
    },
    /// Ends a refund that the wallet refuses; needs a manager.
    SettleRefund {
        /// Which.
        refund: RefundId,
        /// How.
        end: RefundEnd,
        /// Why, or how else.
        reason: String,
    },
    /// Says what became of a payment of which the wallet says nothing; needs a manager.
    ResolvePayment {
        /// Which.
        intent: IntentId,
        /// What was found.
        finding: Finding,
        /// Where it was seen.
        reason: String,
    },
    /// Has looked at how this epoch began, so that it takes more than cash again; needs a manager.
    AdoptEpoch {
        /// What was found.
        reason: String,
    },
    /// Has seen that a sale holds what this build cannot read; needs a manager.
    AcknowledgeFrozen {
        /// Which.
        sale: SaleId,
        /// What is done about it.
        reason: String,
    },
    /// Has seen how a sale ended that was not in front.
    SeeNote {
        /// Which.
        sale: SaleId,
    },
    /// Shows a code that the customer scans to pay.
    ShowCode {
        /// At which wallet, where the till has to know it before the customer scans.
        at: Option<ProviderName>,
    },
    /// Prints the code that is shown.
    PrintCode {
        /// Of which payment.
        intent: IntentId,
    },
    /// Types the eight digits that a customer's phone shows for a payment.
    TypeProof {
        /// Of which payment.
        intent: IntentId,
        /// As typed.
        digits: String,
    },
    /// Takes stored value with the code by which the member was recognised.
    StoredValue,
    /// Takes cash.
    Cash {
        /// What the customer hands over.
        received: Money,
    },
    /// Gives up a payment that is not settled.
    CancelPayment {
        /// Which.
        intent: IntentId,
    },
    /// Puts the sale aside.
    Hold,
    /// Takes a held sale to the front.
    Recall {
        /// Which.
        sale: SaleId,
    },
    /// Puts the front sale on a desk.
    PutOnDesk {
        /// Which desk.
        desk: DeskId,
    },
    /// Takes the desk's bill to the front, to add to it or to take other money.
    TakeDesk {
        /// Which desk.
        desk: DeskId,
    },
    /// Gives up the whole sale.
    VoidSale {
        /// Why.
        reason: String,
    },
    /// Opens the drawer without a sale.
    NoSale {
        /// Why.
        reason: String,
    },
    /// Says how large the customer of the sale in front wants the receipt.
    ChooseTypeSize {
        /// How large.
        size: TypeSize,
    },
    /// Prints a receipt again, marked COPY.
    Reprint {
        /// Of which sale.
        sale: SaleId,
        /// How large; never smaller than its customer wanted it.
        size: TypeSize,
    },
    /// Does something about a record on its way to head office, or about all of them; needs a manager's PIN.
    Queue {
        /// Which record; none for all that wait.
        about: Option<Box<OnItsWay>>,
        /// What.
        act: QueueAct,
        /// Why.
        reason: String,
    },
    /// Says that paper or drawer whose outcome is unknown is dealt with.
    Settle {
        /// Which job or kick, by its id.
        job: JobId,
        /// What the person found.
        words: String,
    },
}

/// A record as the journal has it, and how far head office was with its epoch when a person looked.
#[derive(Clone, PartialEq, Debug)]
pub struct OnItsWay {
    /// The record's header.
    pub header: Header,
    /// How far.
    pub marks: Marks,
}

/// What a provider's edge reports about an intent.
#[derive(Clone, PartialEq, Debug)]
pub enum ProviderReport {
    /// The money moved: the answer to a question or to the payment itself.
    Approved(Settled),
    /// The money moved, by word from elsewhere: a notification. It may be old: while the payment is being taken
    /// back it counts for nothing, for whoever takes back asks.
    Told(Settled),
    /// It did not and will not.
    Declined {
        /// The provider's code.
        code: String,
        /// Words for the cashier.
        words: String,
        /// What to do next.
        advice: Advice,
        /// What the payer has, where that was too little and is known.
        left: Option<Money>,
    },
    /// From here on a phone can scan this to pay.
    Shown(String),
    /// The same, and the cloud has not heard of it: the till will not hear of the payment by itself.
    ShownUnheard(String),
    /// The provider waits for the customer.
    Pending,
    /// Nobody knows.
    Unsure(String),
    /// It is taken back, or never was: what the provider says it did.
    Cancelled(String),
    /// Whether it is taken back is not known.
    CancelUnsure(String),
    /// A last look after taking back found no money.
    NothingLate,
}

/// What a provider's edge reports about a refund.
#[derive(Clone, PartialEq, Debug)]
pub enum RefundReport {
    /// It went back.
    Refunded,
    /// The wallet has taken it on and is at it.
    Pending(String),
    /// It is refused: a person must.
    Refused(String),
}

/// What the devices report about paper or drawer.
#[derive(Clone, PartialEq, Debug)]
pub enum PrintReport {
    /// The device is there; the first byte goes out once this is durable.
    Starting,
    /// It ended.
    Ended(PaperOutcome, String),
}
