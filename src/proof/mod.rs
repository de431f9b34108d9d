//! Keys, proofs and their files.

pub mod artifact;
mod assignment;
mod commit;
mod development;
mod domain;
mod either;
pub mod error;
mod formula;
mod key_columns;
pub mod keys;
mod lanes;
pub mod model_id;
mod msm;
mod opening;
pub mod outer;
mod polynomials;
mod products;
pub mod protocol;
pub mod prove;
pub mod ptau;
mod quotient;
pub mod srs;
mod srs_check;
pub mod srs_store;
mod threads;
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
