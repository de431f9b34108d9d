//! From the credit model and the ONNX fixtures to programs: accuracy, worst cases, thresholds.

use std::path::{Path, PathBuf};
use zkml_evm::error::Explain;
use zkml_evm::model::{self, Graph, GraphNode, GraphOp, Linear, Port};
use zkml_evm::op::{InputMode, Interval, Op};
use zkml_evm::quant::report::report;
use zkml_evm::quant::{
    Calibrated, Options, OutputChoice, Precision, Report, Schema, Score, ThresholdScale, calibrate, calibrate_on, input, range,
    run,
};
use zkml_evm::quant::{Feature, derive};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn credit() -> (Graph, Schema, Vec<input::Row>) {
    let graph = model::load(&folder("examples/credit/credit_mlp.onnx")).unwrap();
    let schema = Schema::load(&folder("examples/credit/credit_schema.json")).unwrap();
    let rows = input::rows(&schema, &input::read(&folder("examples/credit/calibration.json")).unwrap()).unwrap();
    (graph, schema, rows)
}

fn options(output: OutputChoice, shift_bits: u32, magnitude_bits: u32) -> Options {
    Options { input: InputMode::Committed, output, precision: Precision { shift_bits, magnitude_bits } }
}

fn measured(shift: u32, magnitude: u32) -> (Calibrated, Report) {
    let (graph, schema, rows) = credit();
    let calibrated = calibrate(&graph, &schema, &options(OutputChoice::Threshold, shift, magnitude)).unwrap();
    let threshold = ThresholdScale::of(&calibrated.program).unwrap().from_probability("0.75").unwrap();
    let report = report(&graph, &schema, &calibrated, &rows, Some(threshold)).unwrap();
    println!("{report}");
    (calibrated, report)
}

#[test]
fn the_credit_model_keeps_its_accuracy_and_decisions() {
    for (shift, magnitude, max, flips) in [(24, 16, 2e-3, 1), (16, 16, 4e-3, 2), (24, 24, 2e-5, 0)] {
        let (calibrated, report) = measured(shift, magnitude);
        assert_eq!((calibrated.score, report.rows), (Score::Logit, 512));
        assert!(report.score_error.max <= max, "({shift}, {magnitude}): {:?}", report.score_error);
        let decisions = report.decisions.unwrap();
        assert!(decisions.changed <= flips, "({shift}, {magnitude}): {decisions:?}");
    }
}

#[test]
fn applicants_get_the_expected_answers() {
    let (graph, schema, _) = credit();
    let calibrated = calibrate(&graph, &schema, &options(OutputChoice::Threshold, 24, 16)).unwrap();
    let scale = ThresholdScale::of(&calibrated.program).unwrap();
    let expected: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder("examples/credit/expected.json")).unwrap()).unwrap();
    let threshold = scale.from_probability("0.75").unwrap();
    for (name, want) in expected["applicants"].as_object().unwrap() {
        let text = input::read(&folder(&format!("examples/credit/applicants/{name}.json"))).unwrap();
        let row = input::one(&schema, &text).unwrap();
        let q = run(&calibrated.program, &row).unwrap().output()[0];
        assert!((scale.value(q) - want["logit"].as_f64().unwrap()).abs() < 2e-3, "{name}");
        assert_eq!(q >= threshold, want["approved"].as_bool().unwrap(), "{name}");
        let real: Vec<f32> = schema.features().iter().zip(&row).map(|(f, v)| f.real(*v) as f32).collect();
        let probability = f64::from(graph.run(&real).unwrap()[0]);
        assert!((probability - want["probability"].as_f64().unwrap()).abs() < 1e-5, "{name}");
    }
    let listed = input::one(&schema, &input::read(&folder("examples/credit/applicant_list.json")).unwrap()).unwrap();
    let alice = input::one(&schema, &input::read(&folder("examples/credit/applicants/alice.json")).unwrap()).unwrap();
    assert_eq!(listed, alice);
}

#[test]
fn every_corner_of_the_schema_runs_inside_its_intervals() {
    let (graph, schema, _) = credit();
    let calibrated = calibrate(&graph, &schema, &options(OutputChoice::Threshold, 24, 16)).unwrap();
    let intervals = range::check(&calibrated.program).unwrap();
    for corner in 0..1u32 << schema.features().len() {
        let pick = |(i, f): (usize, &Feature)| i128::from(if corner >> i & 1 == 1 { f.max } else { f.min });
        let row: Vec<i128> = schema.features().iter().enumerate().map(pick).collect();
        let run = run(&calibrated.program, &row).unwrap();
        for (values, intervals) in run.tensors.iter().zip(&intervals) {
            assert!(values.iter().zip(intervals).all(|(v, i)| i.contains(*v)));
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_program() {
    let (graph, schema, _) = credit();
    let made = || calibrate(&graph, &schema, &options(OutputChoice::Threshold, 24, 16)).unwrap().program;
    assert_eq!(made(), made());
    assert_eq!(made().schema_id, schema.id());
    // Attestations and model ids hang on this number: a change of the encoding must be seen in review.
    let id: String = schema.id().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(id, "57d6cdea9f303d72cac0c0d7a84504c7f42ee28c095ce4c32f66d706d6d0196f");
}

#[test]
fn a_derived_schema_serves_as_well() {
    let (graph, _, _) = credit();
    let text = input::read(&folder("examples/credit/calibration.json")).unwrap();
    let derived = derive("credit", &input::numbers(&text).unwrap(), None).unwrap();
    let rows = input::rows(&derived.schema, &text).unwrap();
    let calibrated = calibrate(&graph, &derived.schema, &options(OutputChoice::Threshold, 24, 16)).unwrap();
    let report = report(&graph, &derived.schema, &calibrated, &rows, None).unwrap();
    assert!(report.score_error.max < 3e-3, "{report}");
}

/// A Concat of two layers that are compared: the second is coarser, so the first is quantised again at its scale.
#[test]
fn compared_elements_share_a_scale_across_nodes() {
    let layer = |weight: f32, outputs: usize| {
        GraphOp::Linear(Linear { outputs, inputs: 2, weights: vec![weight; outputs * 2], bias: vec![0.25; outputs] })
    };
    let node = |op, inputs: &[usize], len| GraphNode { name: format!("n{len}"), op, inputs: inputs.to_vec(), len };
    let nodes = vec![
        node(GraphOp::Input, &[], 2),
        node(layer(0.5, 2), &[0], 2),
        node(layer(1000.0, 1), &[0], 1),
        node(GraphOp::Move(vec![2, 0, 1]), &[1, 2], 3),
    ];
    let port = |name: &str, len| Port { name: name.into(), shape: vec![1, len] };
    let graph = Graph { name: String::new(), input: port("x", 2), output: port("y", 3), nodes, sha256: [0; 32] };
    for choice in [OutputChoice::Argmax, OutputChoice::Reveal] {
        let calibrated = calibrate(&graph, &unit_schema(2), &options(choice, 24, 16)).unwrap();
        let scales: Vec<i32> = calibrated.scales[1..=4].concat();
        assert_eq!(calibrated.scales[2], [calibrated.scales[4][0]; 2], "{scales:?}");
        assert_eq!(calibrated.program.nodes[2].scale_log2 + 24, calibrated.program.nodes[1].scale_log2);
    }
}

/// A threshold on an element that was moved gets a rescale of its own, and the same score.
#[test]
fn a_threshold_on_a_moved_element_is_exact() {
    let layer = GraphOp::Linear(Linear { outputs: 2, inputs: 2, weights: vec![1.0, 2.0, -3.0, 0.5], bias: vec![0.0, 1.0] });
    let node = |op, inputs: &[usize], len| GraphNode { name: format!("n{len}"), op, inputs: inputs.to_vec(), len };
    let nodes = vec![node(GraphOp::Input, &[], 2), node(layer, &[0], 2), node(GraphOp::Move(vec![1]), &[1], 1)];
    let port = |name: &str, len| Port { name: name.into(), shape: vec![1, len] };
    let graph = Graph { name: String::new(), input: port("x", 2), output: port("y", 1), nodes, sha256: [0; 32] };
    let calibrated = calibrate(&graph, &unit_schema(2), &options(OutputChoice::Threshold, 24, 16)).unwrap();
    for row in [[1_000_000, -1_000_000], [-1_000_000, 1_000_000], [5, 123_456]] {
        let run = run(&calibrated.program, &row).unwrap();
        assert_eq!(run.output(), &run.tensors[2][1..]);
    }
}

fn unit_schema(len: usize) -> Schema {
    let feature = |i| Feature { name: format!("x{i}"), unit: String::new(), decimals: 6, min: -1_000_000, max: 1_000_000 };
    Schema::new("unit".into(), (0..len).map(feature).collect()).unwrap()
}

#[test]
fn fixtures_become_programs_for_every_output() {
    for (file, output, logit) in [
        ("gemm_trans_b", OutputChoice::Argmax, false),
        ("matmul_add", OutputChoice::Reveal, false),
        ("linear", OutputChoice::Threshold, false),
        ("linear_linear", OutputChoice::Reveal, false),
        ("linear_linear", OutputChoice::Argmax, false),
        ("sigmoid", OutputChoice::Threshold, true),
        ("sigmoid", OutputChoice::Reveal, false),
        ("flatten", OutputChoice::Argmax, false),
        ("residual", OutputChoice::Reveal, false),
        ("residual", OutputChoice::Argmax, false),
        ("difference", OutputChoice::Argmax, false),
        ("standardise", OutputChoice::Reveal, false),
        ("scaled_layer", OutputChoice::Argmax, false),
        ("activations", OutputChoice::Reveal, false),
        ("relu6", OutputChoice::Reveal, false),
        ("batch_norm", OutputChoice::Argmax, false),
        ("moves", OutputChoice::Reveal, false),
        ("reductions", OutputChoice::Reveal, false),
        ("reductions", OutputChoice::Argmax, false),
        ("average_pools", OutputChoice::Reveal, false),
        ("conv", OutputChoice::Argmax, false),
        ("pixels", OutputChoice::Reveal, false),
        ("conv_transpose", OutputChoice::Reveal, false),
        ("conv_odd", OutputChoice::Reveal, false),
        ("depthwise", OutputChoice::Reveal, false),
        ("conv_1d", OutputChoice::Reveal, false),
        ("max_pools", OutputChoice::Reveal, false),
        ("products", OutputChoice::Reveal, false),
    ] {
        let graph = model::load(&folder(&format!("test/fixtures/onnx/{file}.onnx"))).unwrap();
        let schema = unit_schema(graph.input.len());
        let calibrated = calibrate(&graph, &schema, &options(output, 24, 16)).unwrap();
        assert_eq!(calibrated.score == Score::Logit, logit, "{file}");
        let rows: Vec<input::Row> = (0..50)
            .map(|r| (0..graph.input.len()).map(|i| ((r * 7919 + i * 104_729) % 2_000_001) as i128 - 1_000_000).collect())
            .collect();
        let report = report(&graph, &schema, &calibrated, &rows, None).unwrap();
        assert!(report.score_error.max < 2e-3, "{file}: {report}");
        // The worst case holds: corners of the schema run, inside their intervals.
        let intervals = range::check(&calibrated.program).unwrap();
        for corner in 0..64u64 {
            let pick = |i: usize| if corner >> (i % 6) & 1 == 1 { 1_000_000 } else { -1_000_000 };
            let run = run(&calibrated.program, &(0..graph.input.len()).map(pick).collect::<Vec<i128>>()).unwrap();
            let inside =
                |(values, all): (&Vec<i128>, &Vec<_>)| values.iter().zip(all).all(|(v, i): (_, &Interval)| i.contains(*v));
            assert!(run.tensors.iter().zip(&intervals).all(inside), "{file}");
        }
        // A step of the scale is all that may separate a changed decision from its threshold.
        assert!(report.decisions.is_none_or(|d| d.changed <= d.within_one_step), "{file}");
        assert!(serde_json::to_string(&calibrated.program).is_ok());
    }
}

#[test]
fn what_cannot_be_stated_is_refused() {
    for (file, output, code) in [
        ("sigmoid", OutputChoice::Argmax, "quant/output"),
        ("gemm_trans_b", OutputChoice::Threshold, "quant/output"),
        ("identity", OutputChoice::Argmax, "quant/output"),
        ("sigmoid_hidden", OutputChoice::Threshold, "quant/structure"),
    ] {
        let graph = model::load(&folder(&format!("test/fixtures/onnx/{file}.onnx"))).unwrap();
        let error = calibrate(&graph, &unit_schema(graph.input.len()), &options(output, 24, 16)).unwrap_err();
        assert_eq!(error.code(), code, "{file}: {error}");
    }
    let (graph, schema, _) = credit();
    let refused = |schema: &Schema, s, m| calibrate(&graph, schema, &options(OutputChoice::Threshold, s, m)).unwrap_err().code();
    assert_eq!(refused(&unit_schema(3), 24, 16), "quant/features");
    assert_eq!(refused(&schema, 0, 16), "quant/malformed-program");
    assert_eq!(refused(&schema, 24, 60), "quant/malformed-program");
    let calibrated = calibrate(&graph, &schema, &options(OutputChoice::Threshold, 24, 16)).unwrap();
    assert_eq!(report(&graph, &schema, &calibrated, &[], None).unwrap_err().code(), "quant/no-calibration-rows");
    assert_eq!(report(&graph, &schema, &calibrated, &[vec![-1; 12]], None).unwrap_err().code(), "input/out-of-range");
}

/// Layers whose weights are far from 1, zero or the largest that f32 holds must give a program or a typed error.
#[test]
fn extreme_weights_never_overflow() {
    for weight in [0.0, f32::MIN_POSITIVE, 1e-30, 1e-10, 1.0, 1e10, 1e30, f32::MAX] {
        for bias in [0.0, 1e-20, 1.0, f32::MAX] {
            let layer = |outputs: usize, inputs: usize| {
                GraphOp::Linear(Linear { outputs, inputs, weights: vec![weight; outputs * inputs], bias: vec![bias; outputs] })
            };
            let node = |index: usize, op, len| GraphNode {
                name: format!("n{index}"),
                op,
                inputs: index.checked_sub(1).into_iter().collect(),
                len,
            };
            let nodes =
                vec![node(0, GraphOp::Input, 3), node(1, layer(4, 3), 4), node(2, GraphOp::Relu, 4), node(3, layer(1, 4), 1)];
            let port = |name: &str, len| Port { name: name.into(), shape: vec![1, len] };
            let graph = Graph { name: String::new(), input: port("x", 3), output: port("y", 1), nodes, sha256: [0; 32] };
            match calibrate(&graph, &unit_schema(3), &options(OutputChoice::Threshold, 24, 16)) {
                Ok(calibrated) => {
                    assert!(matches!(calibrated.program.nodes.last().map(|n| &n.op), Some(Op::Threshold(_))));
                    run(&calibrated.program, &[1_000_000, -1_000_000, 0]).unwrap();
                }
                Err(error) => assert_eq!(error.code(), "quant/no-scale", "{weight:e} {bias:e}: {error}"),
            }
        }
    }
}

/// Scales from the rows are nowhere coarser than those of the worst case; values beyond twice the rows' have no proof, and the error says where.
#[test]
fn scales_from_calibration_are_finer_and_name_what_exceeds_them() {
    let (graph, schema, rows) = credit();
    let options = options(OutputChoice::Threshold, 16, 16);
    let worst = measured(16, 16).0.scales;
    let calibrated = calibrate_on(&graph, &schema, &options, &rows).unwrap();
    assert!(rows.iter().all(|row| run(&calibrated.program, row).is_ok()));
    // From the smallest applicant alone: others exceed it somewhere.
    let smallest = rows.iter().min_by_key(|row| row.iter().map(|v| v.abs()).max()).unwrap();
    let narrow = calibrate_on(&graph, &schema, &options, std::slice::from_ref(smallest)).unwrap();
    assert!(run(&narrow.program, smallest).is_ok());
    let total = |scales: &[Vec<i32>]| scales.iter().flatten().sum::<i32>();
    assert!(total(&narrow.scales) > total(&worst) && total(&calibrated.scales) >= total(&worst));
    let refused: Vec<_> = rows.iter().filter_map(|row| run(&narrow.program, row).err()).collect();
    assert!(!refused.is_empty());
    assert!(refused.iter().all(|error| error.code() == "input/beyond-calibration" && !error.hint().is_empty()));
    assert!(calibrate_on(&graph, &schema, &options, &[]).is_err(), "no rows");
}
