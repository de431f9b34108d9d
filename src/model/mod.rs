//! From an ONNX file to a typed float graph: static shapes, f32 weights, a flat table of operators.
//!
//! ```text
//! file --decode (tract's protobuf)--> proto --check--> one input, one output, constants --table of operators--> Graph
//!                                       \--tract's own reading, run on probes--> must agree with Graph
//! ```

pub mod agree;
pub mod constant;
pub mod error;
pub mod graph;
pub mod import;
pub mod onnx;
pub mod operator;
pub mod port;
pub mod product;
pub mod size;
pub mod stencil;
pub mod wire;

pub use error::ModelError;
pub use graph::{Conv, Graph, GraphNode, GraphOp, Linear, Port, Sum};
pub use onnx::{MAX_FILE_BYTES, from_bytes, load};
pub use product::Product;
pub use stencil::Stencil;
