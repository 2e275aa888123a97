//! The cloud's edge through its doors: a real journal, real signatures, and a cloud on a real port that can
//! lose answers, forget and contradict.

mod down;
mod orders;
mod shop;
mod stand_in;
mod up;
