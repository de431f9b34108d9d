//! Which maxima are pooled, and that the layer which is placed has the same accumulators.

use super::*;
use crate::op::{Input, InputMode, Interval, Move, Rescale};
use crate::quant::{Hidden, Node, Precision, run};

fn axis(size: usize, kernel: usize, stride: usize, before: usize) -> Axis {
    Axis { size, kernel, stride, dilation: 1, before, outputs: (size + 2 * before - kernel) / stride + 1 }
}

fn conv(filters: usize, groups: usize, axes: [Axis; 2]) -> Conv {
    let stencil = Stencil { channels: 2, filters, groups, axes };
    let weights = (0..stencil.weights() as i128).map(|i| i * 37 % 23 - 11).collect();
    Conv { stencil, weights, bias: (0..filters as i128).map(|f| 5 * f - 3).collect() }
}

/// Windows of `[down, across]` elements, `step` apart.
fn windows(stencil: &Stencil, [down, across]: [usize; 2], step: [usize; 2]) -> Vec<Vec<u32>> {
    let [rows, columns] = stencil.axes.map(|axis| axis.outputs);
    let mut all = Vec::new();
    for f in 0..stencil.filters {
        for y in (0..=rows - down).step_by(step[0]) {
            for x in (0..=columns - across).step_by(step[1]) {
                let at = |i: usize| ((f * rows + y + i / across) * columns + x + i % across) as u32;
                all.push((0..down * across).map(at).collect());
            }
        }
    }
    all
}

fn program(conv: &Conv, windows: Vec<Vec<u32>>) -> Program {
    let node = |op, inputs| Node { name: "node".into(), op, inputs, scale_log2: 0 };
    let ranges = vec![Interval::new(-9, 9); conv.stencil.inputs()];
    let precision = Precision { shift_bits: 8, magnitude_bits: 16 };
    let nodes = vec![
        node(Op::Input(Input { mode: InputMode::Private, width_bytes: 1, ranges }), vec![]),
        node(Op::Conv(conv.clone()), vec![0]),
        node(Op::Rescale(Rescale { shift: 8, relu: true }), vec![1]),
        node(Op::Maximum(Maximum { windows }), vec![2]),
        node(Op::Reveal, vec![3]),
    ];
    Program { schema_id: [0; 32], precision, items: 1, hidden: Hidden::WorstCase, nodes }
}

#[test]
fn the_layer_that_is_placed_has_the_accumulators_of_each_window_side_by_side() {
    let cases = [
        (conv(3, 1, [axis(7, 3, 1, 1), axis(6, 2, 1, 0)]), [2, 2]),
        (conv(2, 2, [axis(9, 3, 2, 1), axis(9, 3, 2, 0)]), [2, 2]),
        (conv(4, 2, [Axis::POINT, axis(11, 3, 1, 1)]), [1, 3]),
        (conv(2, 1, [axis(5, 2, 1, 0), axis(4, 1, 1, 0)]), [2, 1]),
    ];
    for (conv, window) in cases {
        let windows = windows(&conv.stencil, window, window);
        let program = program(&conv, windows.clone());
        let pools = pools(&program);
        let [pool] = &pools[..] else { panic!("{conv:?}: {pools:?}") };
        assert_eq!((pool.conv, pool.maximum, pool.size(), pool.windows()), (1, 3, window[0] * window[1], windows.len()));
        let x: Vec<i128> = (0..conv.stencil.inputs() as i128).map(|i| i * 29 % 19 - 9).collect();
        let run = run(&program, &x).unwrap();
        let placed = pool.layer(&conv);
        assert!(placed.is_consistent(x.len()));
        let mut seen = vec![0; windows.len()];
        for (output, y) in placed.eval(&x).into_iter().enumerate() {
            let (window, element) = pool.place_of(output);
            assert_eq!(y, run.tensors[1][windows[window][element] as usize]);
            assert_eq!(placed.bias[output / placed.stencil.windows()], conv.bias[window / pool.stencil.windows()]);
            seen[window] += 1;
        }
        assert!(seen.iter().all(|&elements| elements == pool.size()));
    }
}

#[test]
fn windows_that_are_no_pool_are_left_alone() {
    let conv = conv(2, 1, [axis(8, 3, 1, 1), axis(8, 3, 1, 1)]);
    let pool = |change: fn(&mut Program)| {
        let mut program = program(&conv, windows(&conv.stencil, [2, 2], [2, 2]));
        change(&mut program);
        pools(&program).len()
    };
    assert_eq!(pool(|_| {}), 1);
    let overlapping = program(&conv, windows(&conv.stencil, [2, 2], [1, 1]));
    let far = program(&conv, windows(&conv.stencil, [2, 2], [3, 3]));
    assert_eq!([overlapping, far].map(|program| pools(&program).len()), [0, 0]);
    assert_eq!(
        pool(|p| if let Op::Maximum(m) = &mut p.nodes[3].op {
            m.windows.swap(0, 1)
        }),
        0,
        "in another order"
    );
    assert_eq!(
        pool(|p| if let Op::Maximum(m) = &mut p.nodes[3].op {
            m.windows[5].swap(0, 1)
        }),
        0,
        "elements in another order"
    );
    assert_eq!(
        pool(|p| if let Op::Maximum(m) = &mut p.nodes[3].op {
            drop(m.windows.pop())
        }),
        0,
        "one window missing"
    );
    assert_eq!(pool(|p| p.nodes[3].inputs.push(0)), 0, "reads something else too");
    let second_reader = |p: &mut Program| {
        let all = Op::Move(Move { from: vec![0] });
        p.nodes.insert(4, Node { name: "again".into(), op: all, inputs: vec![2], scale_log2: 0 });
    };
    assert_eq!(pool(second_reader), 0, "another node reads what is pooled");
}

/// A pool of a wide layer would fold and move more kernel than it saves: whatever is chosen takes the fewer rows in a circuit.
#[test]
fn a_pool_that_costs_more_than_it_saves_is_left_alone() {
    let of = |[channels, filters, size]: [usize; 3]| {
        let stencil = Stencil { channels, filters, groups: 1, axes: [axis(size, 3, 1, 1); 2] };
        let conv = Conv { stencil, weights: vec![1; stencil.weights()], bias: vec![0; filters] };
        program(&conv, windows(&stencil, [2, 2], [2, 2]))
    };
    let chosen = [[1, 6, 28], [6, 16, 14], [3, 8, 32], [32, 64, 16], [64, 64, 16], [64, 64, 4]].map(|layer| {
        let program = of(layer);
        let Op::Conv(conv) = &program.nodes[1].op else { panic!("a convolution") };
        let pool = pool_of(&conv.stencil);
        let without = rows_without(&conv.stencil, conv.stencil.outputs());
        assert_eq!(pools(&program).len(), usize::from(pool.rows() < without), "{layer:?}: {} {without}", pool.rows());
        pools(&program).len()
    });
    assert_eq!(chosen, [1, 1, 1, 0, 0, 0]);
}

fn pool_of(stencil: &Stencil) -> Pool {
    Pool { conv: 1, maximum: 3, stencil: pooled(stencil, [2, 2]).unwrap(), window: [2, 2] }
}

/// The moved kernel of a far stride is nearly all zeros, and too many of them.
#[test]
fn a_kernel_that_would_be_moved_too_far_is_left_alone() {
    let down = Axis { size: 1 << 16, kernel: 5, stride: 1, dilation: 1, before: 0, outputs: (1 << 16) - 4 };
    let across = Axis { size: 1, kernel: 1, stride: 1 << 18, dilation: 1, before: 0, outputs: 4 };
    let stencil = Stencil { channels: 1, filters: 1, groups: 1, axes: [down, across] };
    assert!(stencil.is_sound() && pooled(&stencil, [1, 2]).is_none());
}
