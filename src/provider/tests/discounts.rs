//! What a wallet says of discounts is kept in the books, each with whoever bears it.

use super::*;
use crate::record::settlement::Funder;
use crate::sim::gateway::Discount;

#[tokio::test]
async fn discounts_and_where_the_money_came_from_are_kept_with_whoever_bears_them() {
    let mut shop = Shop::open().await;
    let discount = Discount { merchant: 100, platform: 200, points: 50 };
    shop.strike(Fault::Discounted(discount), PAY);
    shop.submit().await;
    let ProviderReport::Approved(settled) = shop.report().await else { panic!() };
    assert_eq!((settled.total, settled.received), (yuan("12.80"), yuan("11.80")));
    assert_eq!((settled.merchant_funded, settled.platform_funded), (yuan("1.00"), yuan("2.00")));
    assert_eq!((settled.buyer_paid, settled.invoice), (yuan("9.80"), yuan("9.30")));
    let borne = |funder: Funder| {
        let parts = settled.funds.iter().filter(|fund| fund.funder == funder).map(|fund| fund.amount);
        Money::sum(parts, Currency::CNY).unwrap()
    };
    assert_eq!(borne(Funder::Merchant), yuan("1.00"), "{:?}", settled.funds);
    assert_eq!(borne(Funder::Platform), yuan("2.00"), "{:?}", settled.funds);
    assert_eq!(borne(Funder::Buyer), yuan("9.80"), "{:?}", settled.funds);
    // As it stands in a record, and as it is read back.
    let kept = serde_json::to_string(&settled).unwrap();
    assert_eq!(serde_json::from_str::<crate::record::money_moves::Settled>(&kept).unwrap(), settled);
    shop.close().await;
}
