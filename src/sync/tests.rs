//! The cloud's edge through its doors: a real journal, real signatures, a cloud on a real port that can lose
//! answers, forget and contradict, and the reference cloud itself.

mod down;
mod leases;
mod network;
mod orders;
mod real_cloud;
mod shop;
mod stand_in;
mod up;
