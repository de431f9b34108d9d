use super::*;
use crate::{
    op::{Argmax, Input, InputMode, Interval, Linear, Rescale, Threshold},
    quant::{Precision, privatise, run, run_with},
};

fn node(op: Op, inputs: &[usize]) -> Node {
    Node { name: op.name().into(), op, inputs: inputs.to_vec(), scale_log2: 0 }
}

fn rescale() -> Op {
    Op::Rescale(Rescale { shift: 4, relu: false })
}

/// Every operator that a batch treats in its own way, over an image of 2 x 4 x 5 pixels.
fn everything() -> Program {
    let axis = |size, kernel, stride, before, outputs| Axis { size, kernel, stride, dilation: 1, before, outputs };
    let conv = |filters, axes| {
        let stencil = Stencil { channels: 2, filters, groups: 1, axes };
        let weights = (0..stencil.weights() as i128).map(|w| w * 37 % 61 - 30).collect();
        Op::Conv(Conv { stencil, weights, bias: (0..filters as i128).map(|f| 100 * f - 60).collect() })
    };
    let input = Input { ranges: vec![Interval::new(-9, 200); 40], width_bytes: 1, mode: InputMode::Public };
    // Strided with pads on both sides; then a second one of stride 1; then one along a single axis.
    let strided = conv(2, [axis(4, 3, 2, 1, 2), axis(5, 3, 2, 1, 3)]);
    let dense = conv(2, [axis(2, 2, 1, 1, 3), axis(3, 2, 1, 0, 2)]);
    let line = conv(2, [Axis::POINT, axis(6, 3, 2, 1, 3)]);
    let dims = model::Product { count: 2, rows: 1, inner: 3, columns: 1 };
    let linear = |inputs: usize, outputs: usize| {
        let weights = (0..(inputs * outputs) as i128).map(|w| w * 53 % 97 - 48).collect();
        Op::Linear(Linear { outputs, inputs, weights, bias: (0..outputs as i128).map(|o| 7 * o - 3).collect() })
    };
    let windows = vec![vec![0, 3], vec![1], vec![5, 4, 2]];
    let term = |element, weight| Term { element, weight };
    let sum = Sum { terms: vec![vec![term(0, 2), term(4, 1)], vec![term(2, 1)]], bias: vec![0, 0] };
    let nodes = vec![
        node(Op::Input(input), &[]),
        node(strided, &[0]),
        node(Op::Rescale(Rescale { shift: 4, relu: true }), &[1]),
        node(dense, &[2]),
        node(rescale(), &[3]),
        node(line, &[4]),
        node(rescale(), &[5]),
        node(Op::Maximum(Maximum { windows }), &[6]),
        node(Op::Constant(Constant { values: vec![0, 0] }), &[]),
        node(Op::Move(Move { from: vec![3, 1, 0, 2, 4] }), &[7, 8]),
        node(Op::Product(Product { dims, shifts: vec![1, 0] }), &[6, 7, 7]),
        node(rescale(), &[10]),
        node(Op::Sum(sum), &[9, 11]),
        node(rescale(), &[12]),
        node(Op::Move(Move { from: vec![0, 1, 2, 3, 4, 5, 6] }), &[13, 9]),
        node(linear(7, 3), &[14]),
        node(rescale(), &[15]),
        node(Op::Argmax(Argmax), &[16]),
    ];
    Program {
        schema_id: [1; 32],
        precision: Precision { shift_bits: 4, magnitude_bits: 44 },
        items: 1,
        hidden: Default::default(),
        nodes,
    }
}

fn inputs(items: usize) -> Vec<Vec<i128>> {
    (0..items).map(|b| (0..40).map(|f| ((f * 131 + b * 977 + f * f * b) % 210) as i128 - 9).collect()).collect()
}

fn with_end(mut program: Program, end: Op) -> Program {
    program.nodes.pop();
    program.nodes.push(node(end, &[16]));
    program
}

/// A threshold reads a rescale, in a batch too: the results of products of one element each stay where they are.
#[test]
fn a_threshold_of_a_product_can_be_batched() {
    let ranges = vec![Interval::new(-9, 200); 2];
    let dims = model::Product { count: 1, rows: 1, inner: 1, columns: 1 };
    let precision = Precision { shift_bits: 4, magnitude_bits: 32 };
    let nodes = vec![
        node(Op::Input(Input { ranges, width_bytes: 1, mode: InputMode::Private }), &[]),
        node(Op::Linear(Linear { outputs: 2, inputs: 2, weights: vec![300, -70, 41, 900], bias: vec![5, -6] }), &[0]),
        node(rescale(), &[1]),
        node(Op::Product(Product { dims, shifts: vec![3] }), &[2]),
        node(rescale(), &[3]),
        node(Op::Threshold(Threshold { range: precision.score_interval() }), &[4]),
    ];
    let single = Program { schema_id: [1; 32], precision, items: 1, hidden: Default::default(), nodes };
    let rows = [[3, 4], [-9, 200], [200, 0]];
    let each: Vec<i128> = rows.iter().flat_map(|row| run(&single, row).unwrap().output().to_vec()).collect();
    assert_eq!(run(&batch(&single, 3).unwrap(), &rows.concat()).unwrap().output(), each);
}

#[test]
fn a_batch_gives_what_each_item_gives() {
    for end in [Op::Argmax(Argmax), Op::Reveal] {
        let single = with_end(everything(), end);
        for items in [1, 2, 5] {
            let batched = batch(&single, items).unwrap();
            let rows = inputs(items);
            let each: Vec<i128> = rows.iter().flat_map(|row| run(&single, row).unwrap().output().to_vec()).collect();
            assert_eq!(run(&batched, &rows.concat()).unwrap().output(), each, "{items} items");
            let (first, others) = each.split_at(each.len() / items);
            assert!(first.len() == 1 || items == 1 || !others.starts_with(first), "the items differ: {each:?}");
        }
    }
}

#[test]
fn private_weights_give_the_same_accumulators() {
    let single = with_end(everything(), Op::Reveal);
    for items in [1, 3] {
        let batched = batch(&single, items).unwrap();
        let private = privatise(&batched).unwrap();
        let rows = inputs(items).concat();
        let made = run_with(&private.program, &rows, &private.values).unwrap();
        let meant = run(&batched, &rows).unwrap();
        assert_eq!(made.output(), meant.output());
        let accumulators = |program: &Program, run: &crate::quant::Run| -> Vec<Vec<i128>> {
            let layers = program.nodes.iter().zip(&run.tensors).filter(|(node, _)| node.op.accumulates());
            layers.map(|(_, tensor)| tensor.clone()).collect()
        };
        assert_eq!(accumulators(&private.program, &made), accumulators(&batched, &meant));
    }
}

#[test]
fn batches_of_nothing_and_of_batches_are_refused() {
    let single = everything();
    for items in [0, range::MAX_ITEMS + 1] {
        assert!(matches!(batch(&single, items), Err(QuantError::Batch { .. })), "{items}");
    }
    let twice = batch(&batch(&single, 2).unwrap(), 2);
    assert!(matches!(twice, Err(QuantError::Batch { .. })), "a batch of batches");
    let mut wide = single;
    if let Op::Input(input) = &mut wide.nodes[0].op {
        input.ranges = vec![Interval::new(0, 1); 1000];
    }
    assert!(batch(&wide, 4096).is_err(), "more elements than any circuit");
}
