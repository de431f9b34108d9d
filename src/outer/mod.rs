//! The outer circuit: it repeats a recording on rows of its own gates. Three units stand side by side on the same rows (`columns.rs`): points
//! of the curve over the integers modulo q (`modular.rs`, `points.rs`, `multiply.rs`), the transcripts' permutations (`sponge.rs`), and scalars
//! (`scalars.rs`). `place.rs` pours a recording into them.

pub mod circuit;
pub mod columns;
pub mod lookup;
mod memory;
pub mod modular;
pub mod multiply;
pub mod place;
pub mod points;
pub mod recording;
pub mod scalars;
pub mod shape;
pub mod sheet;
pub mod sponge;

pub use circuit::OuterCircuit;
pub use memory::OuterMemory;
pub use place::{ACCUMULATOR_WORDS, Rows, Values, accumulator_words, place};
pub use recording::{Axis, Base, Id, Node, Permutation, Recording, SlotLayout};
pub use shape::Widths;
pub use sheet::Sheet;
