//! What a transaction offers per gas: what the node says or the user wants, and more where it got stuck.

use super::error::ChainError;
use super::provider::Chain;
use super::spending::Offer;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::transports::RpcError;

/// A pending transaction gives way to one that offers an eighth (12.5 %) more; nodes ask for a tenth.
const RAISE_DIVISOR: u128 = 8;

/// Wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fees {
    /// EIP-1559: at most `max`, of which `priority` is the tip.
    Dynamic { max: u128, priority: u128 },
    /// Exactly this.
    Legacy { price: u128 },
}

impl Fees {
    /// What a request offers; nothing where it names no fee.
    pub(super) fn of(request: &TransactionRequest) -> Self {
        match request.gas_price {
            Some(price) => Self::Legacy { price },
            None => Self::Dynamic {
                max: request.max_fee_per_gas.unwrap_or_default(),
                priority: request.max_priority_fee_per_gas.unwrap_or_default(),
            },
        }
    }

    /// Writes them into a request.
    pub(super) fn put(self, request: &mut TransactionRequest) {
        match self {
            Self::Dynamic { max, priority } => {
                request.max_fee_per_gas = Some(max);
                request.max_priority_fee_per_gas = Some(priority);
            }
            Self::Legacy { price } => request.gas_price = Some(price),
        }
    }

    /// The most that one unit of gas can cost.
    pub(super) fn most(self) -> u128 {
        match self {
            Self::Dynamic { max, .. } => max,
            Self::Legacy { price } => price,
        }
    }

    /// Of the same kind, an eighth higher in each part, and no lower than what the market asks.
    pub(super) fn raised(self, market: Self) -> Self {
        let eighth = |wei: u128| wei.saturating_add(wei.div_ceil(RAISE_DIVISOR).max(1));
        match self {
            Self::Legacy { price } => Self::Legacy { price: eighth(price).max(market.most()) },
            Self::Dynamic { max, priority } => {
                let tip = match market {
                    Self::Dynamic { priority, .. } => priority,
                    Self::Legacy { .. } => 0,
                };
                let max = eighth(max).max(market.most());
                Self::Dynamic { max, priority: eighth(priority).max(tip).min(max) }
            }
        }
    }
}

impl Chain {
    /// What a new transaction offers: the user's word, and the node's where there is none.
    pub(super) async fn fees(&self, what: &str) -> Result<Fees, ChainError> {
        let Offer { gas_price, priority, legacy } = self.offer();
        match (legacy, gas_price, priority) {
            (true, Some(price), _) => return Ok(Fees::Legacy { price }),
            (true, None, _) => return self.legacy_fees(what).await,
            (false, Some(max), Some(priority)) => return Ok(Fees::Dynamic { max, priority }),
            _ => {}
        }
        match self.provider().estimate_eip1559_fees().await {
            Ok(fees) => {
                let base = fees.max_fee_per_gas.saturating_sub(fees.max_priority_fee_per_gas);
                let tip = priority.unwrap_or(fees.max_priority_fee_per_gas);
                let max = gas_price.unwrap_or(base.saturating_add(tip));
                Ok(Fees::Dynamic { max, priority: tip.min(max) })
            }
            Err(RpcError::UnsupportedFeature(_)) => self.legacy_fees(what).await,
            Err(error) => Err(self.explain(what, error)),
        }
    }

    async fn legacy_fees(&self, what: &str) -> Result<Fees, ChainError> {
        let price = self.provider().get_gas_price().await.map_err(|e| self.explain(what, e))?;
        Ok(Fees::Legacy { price })
    }
}

#[cfg(test)]
mod tests {
    use super::Fees;
    use proptest::prelude::*;

    #[test]
    fn a_raise_is_an_eighth_or_the_market() {
        let stuck = Fees::Dynamic { max: 1_001, priority: 0 };
        let quiet = Fees::Dynamic { max: 10, priority: 1 };
        assert_eq!(stuck.raised(quiet), Fees::Dynamic { max: 1_127, priority: 1 });
        let busy = Fees::Dynamic { max: 5_000, priority: 700 };
        assert_eq!(stuck.raised(busy), Fees::Dynamic { max: 5_000, priority: 700 });
        assert_eq!(Fees::Legacy { price: 8 }.raised(quiet), Fees::Legacy { price: 10 });
        assert_eq!(Fees::Legacy { price: 80 }.raised(quiet), Fees::Legacy { price: 90 });
    }

    proptest! {
        /// A node takes the replacement: no part is below 112.5 % of what it was, and the tip stays within the whole.
        #[test]
        fn a_raise_suffices(max in 1u128..1 << 100, tip in 0u128..1 << 100, market in 0u128..1 << 100) {
            let priority = tip.min(max);
            let raised = Fees::Dynamic { max, priority }.raised(Fees::Dynamic { max: market, priority: market / 2 });
            let tip = if let Fees::Dynamic { priority, .. } = raised { priority } else { 0 };
            let more = raised.most();
            prop_assert!(more * 8 >= max * 9 && tip * 8 >= priority * 9 && tip <= more && more >= market);
        }
    }
}
