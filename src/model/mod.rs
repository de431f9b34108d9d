//! ONNX to a typed float graph.
