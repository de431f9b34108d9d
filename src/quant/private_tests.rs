use super::*;
use crate::{
    op::{Input, InputMode, Interval, Linear, Rescale, Sum, Term},
    quant::{Precision, run, run_with},
};

fn with_layer(op: Op, outputs: usize) -> Program {
    let input = Input { ranges: vec![Interval::new(0, 100); 2], width_bytes: 1, mode: InputMode::Private };
    let rescale = Rescale { shift: 8, relu: false };
    let ops = [Op::Input(input), op, Op::Rescale(rescale), Op::Reveal];
    let node = |(i, op): (usize, Op)| Node {
        name: op.name().into(),
        op,
        inputs: i.checked_sub(1).into_iter().collect(),
        scale_log2: outputs as i32,
    };
    let nodes = ops.into_iter().enumerate().map(node).collect();
    Program {
        schema_id: [2; 32],
        precision: Precision { shift_bits: 8, magnitude_bits: 40 },
        items: 1,
        hidden: Default::default(),
        nodes,
    }
}

#[test]
fn digits_put_any_bias_together_again() {
    let digits = Digits { bits: 8, count: 3 };
    for value in [0, 1, -1, 127, 128, -128, -129, 32_767, -32_768, 8_000_000, -8_000_000] {
        let all = digits.all(value);
        assert!(all.iter().all(|d| (-128..128).contains(d)), "{value}: {all:?}");
        assert_eq!(all.iter().rev().fold(0, |sum, d| sum * 256 + d), value);
        assert!(digits.needed(value) <= 3);
    }
    assert_eq!((digits.needed(127), digits.needed(128), digits.needed(-128)), (1, 2, 1));
}

#[test]
fn the_public_program_says_nothing_of_the_weights_but_their_number_and_width() {
    let layer = |weights: [i128; 4], bias: [i128; 2]| {
        with_layer(Op::Linear(Linear { outputs: 2, inputs: 2, weights: weights.to_vec(), bias: bias.to_vec() }), 2)
    };
    let [first, second] = [layer([1, -300, 7, 9000], [70_000, -3]), layer([0, 5, -30_000, 2], [-90_000, 40_000])];
    let [a, b] = [privatise(&first).unwrap(), privatise(&second).unwrap()];
    assert_eq!(a.program, b.program);
    assert_ne!(a.values, b.values);
    assert_eq!(a.program.weights(), Some(&Weights { count: 8, bits: 16 }));
    assert_eq!(a.values, [1, -300, 4464, 1, 7, 9000, -3, 0]);
    for (program, private) in [(&first, &a), (&second, &b)] {
        let made = run_with(&private.program, &[60, 93], &private.values).unwrap();
        assert_eq!(made.output(), run(program, &[60, 93]).unwrap().output());
    }
}

#[test]
fn numbers_of_the_model_outside_of_layers_are_refused() {
    let sum = |weight, bias| {
        let terms = vec![vec![Term { element: 0, weight: 4 }, Term { element: 1, weight }]];
        with_layer(Op::Sum(Sum { terms, bias: vec![bias] }), 1)
    };
    let refused = |program: &Program| matches!(privatise(program), Err(QuantError::NotPrivate { .. }));
    assert!(refused(&sum(3, 0)) && refused(&sum(-2, 0)) && refused(&sum(4, 1)));
    let mut wide = with_layer(Op::Linear(Linear { outputs: 1, inputs: 2, weights: vec![1 << 48, 0], bias: vec![0] }), 1);
    wide.precision.shift_bits = 32;
    wide.nodes[2].op = Op::Rescale(Rescale { shift: 32, relu: false });
    assert!(refused(&wide), "49 bits");
}

#[test]
fn weights_of_another_model_are_refused() {
    let layer = Linear { outputs: 1, inputs: 2, weights: vec![3, 4], bias: vec![5] };
    let private = privatise(&with_layer(Op::Linear(layer), 1)).unwrap();
    let refused = |values: &[i128]| matches!(run_with(&private.program, &[1, 2], values), Err(QuantError::Weights { .. }));
    assert!(refused(&[3, 4]) && refused(&[3, 4, 5, 6]) && refused(&[]));
    assert!(refused(&[3, 4, 128]) && !refused(&[3, 4, -128]), "beyond 8 bits");
    let fixed = with_layer(Op::Linear(Linear { outputs: 1, inputs: 2, weights: vec![3, 4], bias: vec![5] }), 1);
    assert!(run_with(&fixed, &[1, 2], &[3]).is_err(), "weights for a program that has its own");
}
