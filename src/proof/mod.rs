//! Keys, proofs and their files.

pub mod artifact;
mod commit;
mod development;
mod either;
pub mod error;
pub mod keys;
pub mod model_id;
mod msm;
mod opening;
pub mod outer;
pub mod protocol;
pub mod prove;
pub mod ptau;
pub mod srs;
mod srs_check;
pub mod srs_store;
pub mod transcript;
pub mod unfinished;
pub mod verify;

pub use error::ProofError;
pub use keys::Keys;
pub use model_id::ModelId;
pub use outer::OuterKeys;
pub use prove::{prove, prove_for};
pub use srs::{Provenance, Srs};
pub use transcript::Purpose;
pub use verify::{verify, verify_for};
