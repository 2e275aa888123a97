//! Codes of countries, currencies and packages that a part's value must be one of.
//!
//! Each list is in the order of its codes, separated by one space; looking one up is a search through at most two
//! kilobytes, for the few identifiers that have one.

/// ISO 3166-1, two letters, as of 2026.
const COUNTRIES_ALPHA: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT \
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS \
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Three digits, as of 2026: `c` behind a country's (ISO 3166-1), `m` behind a currency's (ISO 4217), with those withdrawn
/// that GS1 still allows, `b` where they are both. A currency has the number of the country that had it first.
const NUMBERS: &str = "004c 008b 010c 012b 016c 020c 024c 028c 031c 032b 036b 040c 044b 048b 050b 051b 052b 056c 060b 064b \
    068b 070c 072b 074c 076c 084b 086c 090b 092c 096b 100c 104b 108b 112c 116b 120c 124b 132b 136b 140c \
    144b 148c 152b 156b 158c 162c 166c 170b 174b 175c 178c 180c 184c 188b 191b 192b 196c 203b 204c 208b \
    212c 214b 218c 222b 226c 230m 231c 232b 233c 234c 238b 239c 242b 246c 248c 250c 254c 258c 260c 262b \
    266c 268c 270b 275c 276c 288c 292b 296c 300c 304c 308c 312c 316c 320b 324b 328b 332b 334c 336c 340b \
    344b 348b 352b 356b 360b 364b 368b 372c 376b 380c 384c 388b 392b 396m 398b 400b 404b 408b 410b 414b \
    417b 418b 422b 426b 428c 430b 434b 438c 440c 442c 446b 450c 454b 458b 462b 466c 470c 474c 478c 480b \
    484b 492c 496b 498b 499c 500c 504b 508c 512b 516b 520c 524b 528c 531c 532m 533b 534c 535c 540c 548b \
    554b 558b 562c 566b 570c 574c 578b 580c 581c 583c 584c 585c 586b 590m 591c 598b 600b 604b 608b 612c \
    616c 620c 624c 626c 630c 634b 638c 642c 643b 646b 652c 654b 659c 660c 662c 663c 666c 670c 674c 678c \
    682b 686c 688c 690b 694b 702b 703c 704b 705c 706b 710b 716c 724c 728b 729c 732c 740c 744c 748b 752b \
    756b 760b 762c 764b 768c 772c 776b 780b 784b 788b 792c 795c 796c 798c 800b 804c 807b 818b 826b 831c \
    832c 833c 834b 840b 850c 854c 858b 860b 862c 876c 882b 886m 887c 894c 901m 924m 925m 926m 927m 928m \
    929m 930m 931m 932m 933m 934m 936m 938m 940m 941m 943m 944m 946m 947m 948m 949m 950m 951m 952m 953m \
    955m 956m 957m 958m 959m 960m 961m 962m 963m 964m 965m 967m 968m 969m 970m 971m 972m 973m 975m 976m \
    977m 978m 979m 980m 981m 984m 985m 986m 990m 994m 997m 999m";

/// GS1's code list of package types, which extends UN/ECE Recommendation 21.
const PACKAGES: &str = "1A 1B 1D 1F 1G 1W 200 201 202 203 204 205 206 210 211 212 2C 3A 3H 43 44 4A 4B 4C 4D 4F 4G 4H 5H 5L \
    5M 6H 6P 7A 7B 8 8A 8B 8C 9 AA AB AC AD AF AG AH AI AJ AL AM AP APE AT AV B4 BB BC BD BE BF BG BGE \
    BH BI BJ BK BL BM BME BN BO BP BQ BR BRI BS BT BU BV BW BX BY BZ CA CB CBL CC CCE CD CE CF CG CH CI \
    CJ CK CL CM CN CO CP CQ CR CS CT CU CV CW CX CY CZ DA DB DC DG DH DI DJ DK DL DM DN DP DPE DR DS DT \
    DU DV DW DX DY E1 E2 E3 EC ED EE EF EG EH EI EN FB FC FD FE FI FL FO FOB FP FPE FR FT FW FX GB GI GL \
    GR GU GY GZ HA HB HC HG HN HR IA IB IC ID IE IF IG IH IK IL IN IZ JB JC JG JR JT JY KG KI LAB LE LG \
    LT LU LV LZ MA MB MC ME MPE MR MS MT MW MX NA NE NF NG NS NT NU NV OA OB OC OD OE OF OK OPE OT OU P2 \
    PA PAE PB PC PD PE PF PG PH PI PJ PK PL PLP PN PO POP PP PPE PR PT PU PUE PV PX PY PZ QA QB QC QD QF \
    QG QH QJ QK QL QM QN QP QQ QR QS RB1 RB2 RB3 RCB RD RG RJ RK RL RO RT RZ S1 SA SB SC SD SE SEC SH SI \
    SK SL SM SO SP SS ST STL SU SV SW SX SY SZ T1 TB TC TD TE TEV TG THE TI TK TL TN TO TR TRE TS TT TTE \
    TU TV TW TWE TY TZ UC UN UUE VA VG VI VK VL VN VO VP VQ VR VS VY WA WB WC WD WF WG WH WJ WK WL WM WN \
    WP WQ WR WRP WS WT WU WV WW WX WY WZ X11 X12 X15 X16 X17 X18 X19 X20 X3 XA XB XC XD XF XG XH XJ XK \
    YA YB YC YD YF YG YH YJ YK YL YM YN YP YQ YR YS YT YV YW YX YY YZ ZA ZB ZC ZD ZF ZG ZH ZJ ZK ZL ZM \
    ZN ZP ZQ ZR ZS ZT ZU ZV ZW ZX ZY ZZ";

/// Whether `code` is a country in two letters.
pub(super) fn is_country_alpha(code: &str) -> bool {
    holds(COUNTRIES_ALPHA, code)
}

/// Whether `code` is a country in three digits.
pub(super) fn is_country(code: &str) -> bool {
    is_number(code, "c")
}

/// Whether `code` is a currency in three digits.
pub(super) fn is_currency(code: &str) -> bool {
    is_number(code, "m")
}

/// Whether `code` is a type of package.
pub(super) fn is_package(code: &str) -> bool {
    holds(PACKAGES, code)
}

fn is_number(code: &str, mark: &str) -> bool {
    code.len() == 3 && [mark, "b"].into_iter().any(|mark| holds(NUMBERS, &format!("{code}{mark}")))
}

fn holds(list: &str, code: &str) -> bool {
    list.split(' ').any(|known| known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_hold_what_they_should_and_no_more() {
        assert!(is_country("156") && is_country("004") && !is_country("999") && !is_country(""));
        assert!(is_country_alpha("CN") && !is_country_alpha("AA") && !is_country_alpha("C"));
        assert!(is_currency("156") && is_currency("978") && !is_currency("000") && !is_currency("987"));
        assert!(is_package("9") && is_package("BME") && !is_package("_9"));
        let countries = (0..1000).filter(|number| is_country(&format!("{number:03}"))).count();
        assert_eq!(countries, COUNTRIES_ALPHA.split(' ').count());
        assert_eq!((0..1000).filter(|number| is_currency(&format!("{number:03}"))).count(), 183);
    }
}
