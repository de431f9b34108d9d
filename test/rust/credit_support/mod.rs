//! The credit example as its golden files and the benchmark have it.

#![allow(dead_code)]

pub mod golden;
pub mod loan;

use std::path::{Path, PathBuf};
use zkml_evm::{
    circuit::{Objective, plan},
    gates::Shape,
    model::{self, Graph, GraphOp},
    op::InputMode,
    quant::{
        Calibrated, Options, OutputChoice, Precision, Program, Schema, calibrate,
        input::{self, Row},
    },
};

/// The example, compiled and planned as `gen-verifier` does it when no widths are given.
pub struct Credit {
    /// The float model.
    pub graph: Graph,
    /// Its features.
    pub schema: Schema,
    /// The integer program with its scales.
    pub calibrated: Calibrated,
    /// The circuit's widths.
    pub shape: Shape,
}

impl Credit {
    /// Compiles the example.
    pub fn compile(input: InputMode, output: OutputChoice) -> Self {
        Self::of(load_model(), input, output)
    }

    /// The example cut before its Sigmoid: the logit is revealed.
    pub fn compile_logit(input: InputMode) -> Self {
        let mut graph = load_model();
        let last = graph.nodes.pop();
        assert!(matches!(last.map(|node| node.op), Some(GraphOp::Sigmoid)), "the model ends in a Sigmoid");
        Self::of(graph, input, OutputChoice::Reveal)
    }

    fn of(graph: Graph, input: InputMode, output: OutputChoice) -> Self {
        let schema = Schema::load(&in_project("examples/credit/credit_schema.json")).expect("the credit schema");
        let options = Options { input, output, precision: Precision::default() };
        let calibrated = calibrate(&graph, &schema, &options).expect("the credit program");
        let shape = plan(&calibrated.program, Objective::Balanced).expect("a plan").shape;
        Self { graph, schema, calibrated, shape }
    }

    /// The integer program.
    pub fn program(&self) -> &Program {
        &self.calibrated.program
    }

    /// The schema integers of a named applicant.
    pub fn applicant(&self, name: &str) -> Row {
        let text = input::read(&in_project(&format!("examples/credit/applicants/{name}.json"))).expect("the applicant");
        input::one(&self.schema, &text).expect("the applicant's features")
    }

    /// The calibration rows as schema integers.
    pub fn calibration(&self) -> Vec<Row> {
        let text = input::read(&in_project("examples/credit/calibration.json")).expect("the calibration set");
        input::rows(&self.schema, &text).expect("the calibration rows")
    }
}

fn load_model() -> Graph {
    model::load(&in_project("examples/credit/credit_mlp.onnx")).expect("the credit model")
}

/// A path below the project's root.
pub fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
