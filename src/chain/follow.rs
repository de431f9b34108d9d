//! Following a settlement: what its contracts emit, block by block, and how models and pool stand. A reorganisation is told, and what the
//! new blocks hold is told again.

use super::bindings::{Helpers, ILendingThreshold};
use super::error::ChainError;
use super::event::Event;
use super::provider::Chain;
use super::settle;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, TxHash};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::transports::TransportError;
use serde::Serialize;
use std::collections::VecDeque;

/// Blocks whose hashes are kept; an older fork is not looked for.
const MEMORY: usize = 128;
/// Blocks whose logs are asked for at once.
const STRIDE: u64 = 1_000;

/// What is followed.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    /// Contracts by label, whose events are told.
    pub contracts: Vec<(String, Address)>,
    /// Where the models are registered.
    pub router: Option<Address>,
    /// The models.
    pub models: Vec<B256>,
    /// The pool.
    pub pool: Option<Address>,
}

/// How a model stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelState {
    pub model_id: B256,
    pub state: String,
    /// Unix seconds.
    pub activates_at: u64,
    /// Unix seconds; 0 unless deprecated.
    pub deprecated_until: u64,
}

/// How a pool stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolState {
    pub pool: Address,
    pub paused: bool,
    /// What it can pay out, in the token's smallest unit.
    pub liquidity: String,
    /// Loans that were opened.
    pub loans: String,
}

/// Something new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "news", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum News {
    /// How things stand, first and after each change.
    State { block: u64, models: Vec<ModelState>, pool: Option<PoolState> },
    /// A contract emitted something.
    Happened {
        block: u64,
        tx: Option<TxHash>,
        contract: String,
        address: Address,
        #[serde(flatten)]
        event: Event,
    },
    /// The blocks from this one on are others than those that were told of.
    Reorganised { block: u64 },
}

/// A place in the chain from which to go on.
pub struct Follower<'a> {
    chain: &'a Chain,
    subjects: Subjects,
    /// Number and hash of the last blocks that were told of, oldest first.
    blocks: VecDeque<(u64, B256)>,
    last: Option<(Vec<ModelState>, Option<PoolState>)>,
}

impl<'a> Follower<'a> {
    /// Follows from the next block on.
    pub fn new(chain: &'a Chain, subjects: Subjects) -> Self {
        Self { chain, subjects, blocks: VecDeque::new(), last: None }
    }

    /// What is new since the last time; nothing where no block came.
    ///
    /// # Errors
    /// Those of reading. What was not told is told by the next call.
    pub async fn poll(&mut self) -> Result<Vec<News>, ChainError> {
        let what = "asking for the last block";
        let number = self.chain.provider().get_block_number().await.map_err(|e| self.chain.explain(what, e))?;
        let Some(head) = self.hash(number).await? else { return Ok(Vec::new()) };
        // A block that was told of: nothing came, or this node of several is behind another.
        if self.blocks.contains(&(number, head)) {
            return Ok(Vec::new());
        }
        let mut news = Vec::new();
        let mut blocks = self.blocks.clone();
        while let Some(&(at, known)) = blocks.back() {
            if self.hash(at).await? == Some(known) {
                break;
            }
            blocks.pop_back();
        }
        if blocks.len() < self.blocks.len() {
            // What was told last and still stands comes before the fork.
            let fork = blocks.back().map_or_else(|| self.blocks.front().map_or(number, |b| b.0), |&(at, _)| at.saturating_add(1));
            news.push(News::Reorganised { block: fork });
        }
        let from = match (blocks.back(), self.blocks.front()) {
            (Some(&(at, _)), _) => at.saturating_add(1),
            (None, Some(&(oldest, _))) => oldest,
            // The first time: how things stand says it all.
            (None, None) => number.saturating_add(1),
        };
        let mut at = from;
        while at <= number {
            let to = number.min(at.saturating_add(STRIDE - 1));
            news.extend(self.events(at, to).await?);
            let Some(next) = to.checked_add(1) else { break };
            at = next;
        }
        for at in from.max(number.saturating_sub(MEMORY as u64))..number {
            blocks.extend(self.hash(at).await?.map(|hash| (at, hash)));
        }
        blocks.push_back((number, head));
        while blocks.len() > MEMORY {
            blocks.pop_front();
        }
        let state = (self.models().await?, self.pool().await?);
        if self.last.as_ref() != Some(&state) {
            let (models, pool) = state.clone();
            news.push(News::State { block: number, models, pool });
        }
        (self.blocks, self.last) = (blocks, Some(state));
        Ok(news)
    }

    /// The hash of a block; nothing where the chain has none of this number now.
    async fn hash(&self, number: u64) -> Result<Option<B256>, ChainError> {
        let block = self.chain.provider().get_block_by_number(BlockNumberOrTag::Number(number)).await;
        match block {
            Ok(block) => Ok(block.map(|block| block.header.hash)),
            Err(TransportError::NullResp) => Ok(None),
            Err(error) => Err(self.chain.explain("asking for a block", error)),
        }
    }

    async fn events(&self, from: u64, to: u64) -> Result<Vec<News>, ChainError> {
        let addresses: Vec<Address> = self.subjects.contracts.iter().map(|(_, address)| *address).collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let filter = Filter::new().address(addresses).from_block(from).to_block(to);
        let logs = self.chain.provider().get_logs(&filter).await.map_err(|e| self.chain.explain("reading the events", e))?;
        let news = |log: &alloy::rpc::types::Log| {
            let contract = self.subjects.contracts.iter().find(|(_, address)| *address == log.address())?.0.clone();
            let (block, address) = (log.block_number?, log.address());
            Some(News::Happened { block, tx: log.transaction_hash, contract, address, event: Event::decode(log.data())? })
        };
        Ok(logs.iter().filter(|log| !log.removed).filter_map(news).collect())
    }

    async fn models(&self) -> Result<Vec<ModelState>, ChainError> {
        let mut states = Vec::new();
        for &model_id in self.subjects.models.iter().filter(|_| self.subjects.router.is_some()) {
            let model = settle::model(self.chain, self.subjects.router.unwrap_or_default(), model_id).await?;
            states.push(ModelState {
                model_id,
                state: format!("{:?}", model.state),
                activates_at: model.activatesAt,
                deprecated_until: model.deprecatedUntil,
            });
        }
        Ok(states)
    }

    async fn pool(&self) -> Result<Option<PoolState>, ChainError> {
        let Some(pool) = self.subjects.pool else { return Ok(None) };
        let what = "reading the pool";
        let paused = self.chain.read(what, pool, &Helpers::pausedCall {}).await?;
        let liquidity = self.chain.read(what, pool, &ILendingThreshold::liquidityCall {}).await?.to_string();
        let loans = self.chain.read(what, pool, &ILendingThreshold::loanCountCall {}).await?.to_string();
        Ok(Some(PoolState { pool, paused, liquidity, loans }))
    }
}
