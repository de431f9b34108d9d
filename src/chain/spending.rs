//! What a transaction offers, and ceilings on what it may cost: fees come from a node, and a node may be wrong, or lie.

use super::error::ChainError;
use alloy::primitives::U256;
use alloy::primitives::utils::{format_ether, format_units};

/// Most that one transaction may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Wei per gas, tip included.
    pub max_fee_per_gas: u128,
    /// Wei for the whole transaction, its value included.
    pub max_cost: U256,
}

/// What is offered per gas where that is not left to the node, in wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// At most this, tip included; of a legacy transaction exactly this.
    pub gas_price: Option<u128>,
    /// The tip.
    pub priority: Option<u128>,
    /// Send transactions as before EIP-1559.
    pub legacy: bool,
}

impl Default for Spending {
    /// 500 gwei per gas and one ether: above what a deployment costs on a busy main chain, and far below a slip of the comma.
    fn default() -> Self {
        Self { max_fee_per_gas: 500_000_000_000, max_cost: U256::from(1_000_000_000_000_000_000u64) }
    }
}

impl Spending {
    /// No ceiling, for chains without value.
    pub const UNLIMITED: Self = Self { max_fee_per_gas: u128::MAX, max_cost: U256::MAX };

    /// Compares a transaction's fee and cost with the ceilings.
    ///
    /// # Errors
    /// [`ChainError::FeeTooHigh`], [`ChainError::CostTooHigh`].
    pub(super) fn check(&self, what: &str, fee_per_gas: u128, cost: U256) -> Result<(), ChainError> {
        if fee_per_gas > self.max_fee_per_gas {
            let (fee, limit) = (gwei(fee_per_gas), gwei(self.max_fee_per_gas));
            return Err(ChainError::FeeTooHigh { what: what.to_owned(), fee, limit });
        }
        if cost > self.max_cost {
            let (cost, limit) = (format_ether(cost), format_ether(self.max_cost));
            return Err(ChainError::CostTooHigh { what: what.to_owned(), cost, limit });
        }
        Ok(())
    }
}

fn gwei(wei: u128) -> String {
    // Nine decimals are a unit that always formats.
    format_units(wei, 9).unwrap_or_else(|_| wei.to_string())
}
