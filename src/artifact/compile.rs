//! From a model file to an integer program with its plan and its report.

use super::{ArtifactError, WeightsFile};
use crate::{
    circuit::{Objective, Plan, plan, plan::plan_within},
    model::{self, Graph},
    op::InputMode,
    quant::{
        Calibrated, Hidden, Options, OutputChoice, Precision, Program, Report, Run, Schema, ThresholdError, ThresholdScale,
        batch, calibrate, calibrate_on, derive,
        input::{self, Row},
        privatise,
        report::report,
        run,
    },
};
use std::path::Path;

/// What a model is compiled from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The float model.
    pub graph: Graph,
    /// The model's file name, for people.
    pub file_name: String,
    /// The feature schema, given or derived.
    pub schema: Schema,
    /// Calibration rows as schema integers.
    pub rows: Vec<Row>,
    /// What the reviewer of a derived schema should know; `None` where the schema was given.
    pub derived: Option<Vec<String>>,
}

impl Source {
    /// Reads model and calibration data; without a schema file one is derived from the data.
    ///
    /// # Errors
    /// An unreadable or unsupported model, a malformed schema, data that the schema does not admit.
    pub fn read(model: &Path, calibration: &Path, schema: Option<&Path>) -> Result<Self, ArtifactError> {
        let graph = model::load(model)?;
        let text = input::read(calibration)?;
        let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let (schema, derived) = match schema {
            Some(path) => (Schema::load(path)?, None),
            None => {
                let stem = model.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let derived = derive(&stem, &input::numbers(&text)?, None)?;
                (derived.schema, Some(derived.notes))
            }
        };
        let rows = input::rows(&schema, &text)?;
        Ok(Self { graph, file_name: name(model), schema, rows, derived })
    }
}

/// Where the weights of a model are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsChoice {
    /// In the verifying key, for everybody to read.
    Fixed,
    /// With the prover only, bound by a public commitment.
    Private,
}

/// The choices that are not in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// How the input enters the statement.
    pub input: InputMode,
    /// What becomes public.
    pub output: OutputChoice,
    /// The widths that every rescale shares.
    pub precision: Precision,
    /// What bounds the values between the layers.
    pub hidden: Hidden,
    /// What the plan makes small.
    pub objective: Objective,
    /// Inputs of one proof.
    pub items: usize,
    /// Where the weights are.
    pub weights: WeightsChoice,
    /// Bytes that making keys and proving may take.
    pub max_memory: Option<u64>,
}

impl Default for Recipe {
    /// One committed input, threshold output, the default precision, balanced, fixed weights.
    fn default() -> Self {
        Self {
            input: InputMode::Committed,
            output: OutputChoice::Threshold,
            precision: Precision::default(),
            hidden: Hidden::WorstCase,
            objective: Objective::Balanced,
            items: 1,
            weights: WeightsChoice::Fixed,
            max_memory: None,
        }
    }
}

/// A threshold as people write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThresholdText {
    /// In the score's own unit, such as `1.0986`.
    Value(String),
    /// A probability, for scores that are logits, such as `0.75`.
    Probability(String),
}

impl ThresholdText {
    /// The integer that the circuit compares, rounded up.
    ///
    /// # Errors
    /// A program without threshold, a text that is no number, a value that no admitted input reaches.
    pub fn integer(&self, scale: &ThresholdScale) -> Result<i128, ThresholdError> {
        match self {
            Self::Value(text) => scale.from_value(text),
            Self::Probability(text) => scale.from_probability(text),
        }
    }
}

/// A program with its plan and what it costs in accuracy.
#[derive(Clone, Debug)]
pub struct Quantised {
    /// The program for one input and with fixed weights, its scales and notes.
    pub calibrated: Calibrated,
    /// The program that is proven.
    pub program: Program,
    /// The weights that it does not hold, with a fresh salt.
    pub weights: Option<WeightsFile>,
    /// The chosen shape.
    pub plan: Plan,
    /// Measured on the calibration rows.
    pub report: Report,
}

impl Quantised {
    /// Calibrates, plans and measures; decisions are counted at `threshold`, or at the median score.
    ///
    /// # Errors
    /// A model that the quantiser or the planner refuses, a threshold that the program cannot state.
    pub fn new(source: &Source, recipe: &Recipe, threshold: Option<&ThresholdText>) -> Result<Self, ArtifactError> {
        let options = Options { input: recipe.input, output: recipe.output, precision: recipe.precision };
        let calibrated = match recipe.hidden {
            Hidden::WorstCase => calibrate(&source.graph, &source.schema, &options)?,
            Hidden::Calibrated => calibrate_on(&source.graph, &source.schema, &options, &source.rows)?,
        };
        let threshold = threshold.map(|text| text.integer(&ThresholdScale::of(&calibrated.program)?)).transpose()?;
        let program = batch(&calibrated.program, recipe.items)?;
        let (program, weights) = match recipe.weights {
            WeightsChoice::Fixed => (program, None),
            WeightsChoice::Private => {
                let private = privatise(&program)?;
                let weights = WeightsFile::fresh(&private)?;
                (private.program, Some(weights))
            }
        };
        let plan = match recipe.max_memory {
            Some(allowed) => plan_within(&program, recipe.objective, allowed)?,
            None => plan(&program, recipe.objective)?,
        };
        let report = report(&source.graph, &source.schema, &calibrated, &source.rows, threshold)?;
        Ok(Self { calibrated, program, weights, plan, report })
    }

    /// The report as it may lie in a public folder.
    ///
    /// # Errors
    /// A malformed program.
    pub fn public_report(&self) -> Result<Report, ArtifactError> {
        match &self.weights {
            Some(_) => Ok(self.report.published(&self.program)?),
            None => Ok(self.report.clone()),
        }
    }

    /// Runs the integer program on the schema integers of one input.
    pub fn run(&self, row: &[i128]) -> Result<Run, ArtifactError> {
        Ok(run(&self.calibrated.program, row)?)
    }
}
