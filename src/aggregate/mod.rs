//! Many proofs, of one or several models, become one.
//!
//! ```text
//! proofs (Poseidon transcript) --record--> Recording --layout--> rows of an outer circuit --prove--> one proof
//! ```
//!
//! snark-verifier's verifier runs over a loader that records what it computes ([`Recording`]): operations on scalars, which are native to the
//! outer circuit, permutations of the transcript, and two sums of points, which are not. The outer circuit repeats the recording, and its
//! public values carry the inner statements and the one pairing equation that is left to check. [`evaluate`](evaluate()) says what the
//! recording means, on values; [`check`] is the verification without an outer circuit.

mod error;
mod evaluate;
mod factor;
mod form;
mod loader;
mod opening;
mod prune;
mod reader;
mod record;
mod recorder;

pub use crate::outer::recording::{self, Axis, Base, Id, Node, Permutation, Recording, SlotLayout};
pub use error::AggregateError;
pub use evaluate::{Evaluation, InnerProof, check, evaluate, pairs};
pub use record::{Inner, record, record_all};
