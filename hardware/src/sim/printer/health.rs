//! What is the matter with a virtual printer, and what it says about it.
//!
//! Bits: Epson's command reference, DLE EOT, GS a and GS r.

/// Something that happens to a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The roll is nearly empty; it prints.
    PaperNearEnd,
    /// The paper runs out: it takes bytes in and holds them.
    PaperOut,
    /// A new roll is put in.
    PaperLoaded,
    /// Somebody opens the cover: it holds as well.
    CoverOpened,
    /// Somebody closes it.
    CoverClosed,
    /// The knife jams: it holds until a person has freed it, and it was told to go on or was switched off and on.
    KnifeJams,
    /// A person frees it.
    KnifeFreed,
    /// The head is too hot: it holds.
    HeadHot,
    /// The head has cooled.
    HeadCool,
    /// It breaks for good.
    Breaks,
    /// It loses its power: what it had taken in and not printed is forgotten, and it says nothing.
    PowerOff,
    /// It is on again.
    PowerOn,
    /// So many of its next answers are lost on the way; none for all of them.
    LosesAnswers(Option<u32>),
    /// Its answers arrive again.
    AnswersArrive,
    /// It takes no more bytes off the line, and prints what it has.
    Stalls,
    /// It takes bytes again.
    GoesOn,
    /// It stops printing and says nothing about it, as when a person holds its feed button: with XON/XOFF it sends
    /// XOFF when its buffer is full.
    Pauses,
    /// It prints again.
    Resumes,
    /// Its next leave to go on, XON, is lost on the way.
    XonLost,
    /// Somebody shuts the drawer.
    DrawerShut,
    /// The drawer's lock sticks: from now on no pulse opens it.
    DrawerSticks,
    /// An old packet of automatic status slips into its next data block.
    PacketSlipsIn,
}

/// What is wrong with a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Health {
    near_end: bool,
    paper_out: bool,
    cover_open: bool,
    knife: Knife,
    hot: bool,
    broken: bool,
    pub(super) powered: bool,
    pub(super) stalled: bool,
    paused: bool,
    pub(super) packet_slips_in: bool,
    pub(super) xon_lost: bool,
    drawer_open: bool,
    drawer_sticks: bool,
    loses: Loses,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knife {
    Well,
    Jammed,
    /// Free again, and the printer does not know yet.
    Freed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loses {
    Nothing,
    Next(u32),
    All,
}

impl Default for Health {
    fn default() -> Health {
        Health {
            near_end: false,
            paper_out: false,
            cover_open: false,
            knife: Knife::Well,
            hot: false,
            broken: false,
            powered: true,
            stalled: false,
            paused: false,
            packet_slips_in: false,
            xon_lost: false,
            drawer_open: false,
            drawer_sticks: false,
            loses: Loses::Nothing,
        }
    }
}

impl Health {
    /// Lets something happen.
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::PaperNearEnd => self.near_end = true,
            Happening::PaperOut => self.paper_out = true,
            Happening::PaperLoaded => (self.near_end, self.paper_out) = (false, false),
            Happening::CoverOpened => self.cover_open = true,
            Happening::CoverClosed => self.cover_open = false,
            Happening::KnifeJams => self.knife = Knife::Jammed,
            Happening::KnifeFreed => {
                if self.knife == Knife::Jammed {
                    self.knife = Knife::Freed;
                }
            }
            Happening::HeadHot => self.hot = true,
            Happening::HeadCool => self.hot = false,
            Happening::Breaks => self.broken = true,
            Happening::PowerOff => self.powered = false,
            Happening::PowerOn => {
                self.powered = true;
                self.broken = false;
                self.recover();
            }
            Happening::LosesAnswers(count) => self.loses = count.map_or(Loses::All, Loses::Next),
            Happening::AnswersArrive => self.loses = Loses::Nothing,
            Happening::Stalls => self.stalled = true,
            Happening::GoesOn => self.stalled = false,
            Happening::Pauses => self.paused = true,
            Happening::Resumes => self.paused = false,
            Happening::XonLost => self.xon_lost = true,
            Happening::DrawerShut => self.drawer_open = false,
            Happening::DrawerSticks => self.drawer_sticks = true,
            Happening::PacketSlipsIn => self.packet_slips_in = true,
        }
    }

    /// `DLE ENQ`: a knife that is free moves again; one that is not jams again.
    pub(super) fn recover(&mut self) {
        if self.knife == Knife::Freed {
            self.knife = Knife::Well;
        }
    }

    /// A pulse reached the drawer.
    pub(super) fn pulse(&mut self) {
        self.drawer_open |= !self.drawer_sticks;
    }

    /// The drawer's switch: high while it is open.
    pub(super) fn drawer_level(&self) -> bool {
        self.drawer_open
    }

    /// Whether it has an error, in which it obeys no pulse. Epson's command reference, DLE DC4 (fn = 1), notes.
    pub(super) fn has_error(&self) -> bool {
        self.knife != Knife::Well || self.hot || self.broken
    }

    /// Whether it says that it is off line.
    pub(super) fn is_offline(&self) -> bool {
        self.paper_out || self.cover_open || self.knife != Knife::Well || self.hot || self.broken
    }

    /// Whether it prints nothing.
    pub(super) fn holds(&self) -> bool {
        self.is_offline() || self.paused || !self.powered
    }

    /// Whether the next answer gets through. Each question about it uses one up.
    pub(super) fn answer_gets_through(&mut self) -> bool {
        match self.loses {
            Loses::Nothing => self.powered,
            Loses::All => false,
            Loses::Next(0) => {
                self.loses = Loses::Nothing;
                self.powered
            }
            Loses::Next(left) => {
                self.loses = Loses::Next(left - 1);
                false
            }
        }
    }

    /// The answer to `DLE EOT n`.
    pub(super) fn answer(&self, n: u8) -> u8 {
        const FIXED: u8 = 0x12;
        let jammed = self.knife != Knife::Well;
        let error = self.has_error();
        let bits: &[(bool, u8)] = match n {
            1 => &[(self.drawer_open, 0x04), (self.is_offline(), 0x08)],
            2 => &[(self.cover_open, 0x04), (self.paper_out, 0x20), (error, 0x40)],
            3 => &[(jammed, 0x08), (self.broken, 0x20), (self.hot, 0x40)],
            _ => &[(self.near_end || self.paper_out, 0x0c), (self.paper_out, 0x60)],
        };
        bits.iter().filter(|(set, _)| *set).fold(FIXED, |byte, (_, bit)| byte | bit)
    }

    /// The packet of automatic status.
    pub(super) fn packet(&self) -> [u8; 4] {
        let bit = |set: bool, bits: u8| if set { bits } else { 0 };
        [
            0x10 | bit(self.is_offline(), 0x08) | bit(self.cover_open, 0x20),
            bit(self.knife != Knife::Well, 0x08) | bit(self.broken, 0x20) | bit(self.hot, 0x40),
            self.paper_sensor(),
            0,
        ]
    }

    /// The answer to `GS r 1`.
    pub(super) fn paper_sensor(&self) -> u8 {
        match (self.paper_out, self.near_end) {
            (true, _) => 0x0f,
            (false, true) => 0x03,
            (false, false) => 0,
        }
    }
}
