//! The profiles that are built in, in the order people should look at them: file name and text.
//!
//! What is in them is read by `profile::read`; a test compares this list with the folder.

/// A file of the folder `profiles/printers`.
macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../profiles/printers/", $name)))
    };
}

pub(super) const FILES: &[(&str, &str)] = &[
    file!("epson-tm-t88.toml"),
    file!("epson-tm-t88-chinese.toml"),
    file!("generic-80mm.toml"),
    file!("chinese-58mm.toml"),
    file!("mute-80mm.toml"),
    file!("raster-80mm.toml"),
    file!("raster-58mm.toml"),
    file!("epson-tm-t88-iii.toml"),
    file!("epson-tm-t20.toml"),
    file!("epson-tm-t20-42.toml"),
    file!("epson-tm-t20-iii.toml"),
    file!("epson-tm-m30.toml"),
    file!("epson-tm-t70.toml"),
    file!("epson-tm-t70-ii.toml"),
    file!("epson-tm-t70-ii-chinese.toml"),
    file!("epson-tm-p80.toml"),
    file!("epson-tm-l90.toml"),
    file!("epson-tm-u220.toml"),
    file!("citizen-ct-s651.toml"),
    file!("bixolon-srp-s300.toml"),
    file!("star-tsp600-escpos.toml"),
    file!("sunmi-v2.toml"),
    file!("rongta-rp326.toml"),
    file!("rongta-rp332.toml"),
    file!("munbyn-itpp047.toml"),
    file!("zijiang-zj-5870.toml"),
    file!("netum-nt-80.toml"),
    file!("kefar-kr-306.toml"),
    file!("pbm-p822d.toml"),
    file!("yuhengda-yhd-8390.toml"),
    file!("metapace-t-1.toml"),
    file!("seiko-rp-f10.toml"),
    file!("seiko-rp-f10-58mm.toml"),
    file!("wincor-th230.toml"),
    file!("wincor-th230-plus.toml"),
];
