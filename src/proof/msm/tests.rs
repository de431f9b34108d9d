use super::{
    classes::{Class, choose},
    pairs::{self, Pair},
    *,
};
use halo2_proofs::{
    arithmetic::best_multiexp,
    halo2curves::{
        ff::{Field, PrimeField},
        group::{Curve, Group, prime::PrimeCurveAffine},
    },
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

/// Distinct points.
fn points(count: usize) -> Vec<G1Affine> {
    let (start, step) = (G1::random(rng()), G1::generator());
    let points: Vec<G1> = std::iter::successors(Some(start), |point| Some(point + step)).take(count).collect();
    let mut affine = vec![G1Affine::identity(); count];
    G1::batch_normalize(&points, &mut affine);
    affine
}

/// Few points, some of them many times, with negations and the identity.
fn repeating(count: usize) -> Vec<G1Affine> {
    let some = points(3);
    (0..count).map(|i| [some[0], -some[0], some[1], G1Affine::identity(), some[2], some[0]][i * i % 7 % 6]).collect()
}

/// 0, the powers of two and their neighbours, the middle of the field, all with their negations.
fn boundaries() -> Vec<Fr> {
    let powers = (0..254).map(|bit| Fr::from(2).pow([bit]));
    let near = powers.flat_map(|power| [power - Fr::ONE, power, power + Fr::ONE]);
    let half = Fr::from(2).invert().unwrap();
    near.chain([half, half - Fr::ONE, Fr::ZETA, Fr::ZETA - Fr::ONE]).flat_map(|v| [v, -v]).collect()
}

fn check(what: &str, scalars: &[Fr], bases: &[G1Affine]) {
    assert_eq!(msm(scalars, bases), best_multiexp(scalars, bases), "{what}, {} scalars", scalars.len());
}

#[test]
fn it_is_the_library_s_sum_for_every_kind_of_scalars_and_bases() {
    let mut rng = rng();
    let edges = boundaries();
    for count in [0, 1, 2, 3, 17, 64, 300, 1600] {
        let random: Vec<Fr> = (0..count).map(|_| Fr::random(&mut rng)).collect();
        let mut blinded: Vec<Fr> = (0..count).map(|_| Fr::from(u64::from(rng.r#gen::<u8>()))).collect();
        blinded.iter_mut().rev().take(6).for_each(|v| *v = Fr::random(&mut rng));
        let signed =
            (0..count).map(|_| [Fr::ONE, -Fr::ONE][rng.gen_range(0..2)] * Fr::from(rng.gen_range(0..1u64 << 33))).collect();
        let mut single = vec![Fr::ZERO; count];
        single.iter_mut().rev().take(1).for_each(|v| *v = -Fr::from(3));
        let kinds: [(&str, Vec<Fr>); 8] = [
            ("random", random),
            ("bytes and blinding", blinded),
            ("signed", signed),
            ("one that is not zero", single),
            ("zero", vec![Fr::ZERO; count]),
            ("r - 1", vec![-Fr::ONE; count]),
            ("one long scalar", vec![Fr::random(&mut rng); count]),
            ("boundaries", (0..count).map(|i| edges[i % edges.len()]).collect()),
        ];
        for (name, scalars) in kinds {
            check(name, &scalars, &points(count));
            check(name, &scalars, &repeating(count));
            check(name, &scalars, &vec![points(1)[0]; count]);
        }
    }
}

#[test]
fn terms_add_up_to_the_scalar_and_are_short() {
    let mut rng = rng();
    for scalar in boundaries().into_iter().chain((0..1000).map(|_| Fr::random(&mut rng))) {
        let mut sum = Fr::ZERO;
        for term in scalar::terms(&scalar) {
            assert!(term.magnitude != 0 && term.magnitude >> 127 == 0, "{scalar:?}");
            let multiple = Fr::from_u128(term.magnitude) * if term.endo { Fr::ZETA } else { Fr::ONE };
            sum += if term.negative { -multiple } else { multiple };
        }
        assert_eq!(sum, scalar);
    }
    assert_eq!(scalar::terms(&-Fr::from(5)).map(|t| (t.magnitude, t.negative, t.endo)).collect::<Vec<_>>(), [(5, true, false)]);
}

/// Equal, opposite, identical to the identity: in both ways to add, for whole vectors and their rest.
#[test]
fn both_ways_to_add_pairs_are_the_group_law() {
    let points: Vec<Point> = [points(40), repeating(30)].concat().iter().map(Point::from).collect();
    for count in [1, 7, 8, 9, 64, 4096, 5000] {
        let mut rng = rng();
        let mut any = || rng.gen_range(0..2 * points.len() as u32);
        let chosen: Vec<Pair> = (0..count as u32).map(|out| ([any(), any()], out)).collect();
        let expected: Vec<Point> =
            chosen.iter().map(|([a, b], _)| pairs::load(&points, *a).add_any(&pairs::load(&points, *b))).collect();
        for add in [pairs::add, pairs::add_portable] {
            let mut sums = vec![Point::default(); count];
            add(&points, &chosen, &mut sums);
            assert_eq!(sums, expected, "{count}");
        }
    }
}

/// The blinding rows of a column of bytes do not make its other rows longer.
#[test]
fn few_long_scalars_have_windows_of_their_own() {
    let mut histogram = [0; 128];
    (histogram[7], histogram[8], histogram[126], histogram[127]) = (2000, 2000, 7, 7);
    let classes = choose(&histogram);
    assert_eq!(classes[0], Class { bits: 8, window: 8 });
    assert_eq!(classes.len(), 2);
    assert_eq!(classes[1].bits, 127);
    assert!(classes[1].window < 6);
    assert_eq!(choose(&[0; 128]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_lengths_signs_and_bases(terms in prop::collection::vec((any::<[u64; 4]>(), 0u32..128, any::<bool>(), 0usize..50), 0..200)) {
        let known = [points(40), repeating(10)].concat();
        // Every fourth is a long one; the others have up to 128 bits.
        let scalar = |limbs: &[u64; 4], bits: u32, negative: bool| {
            let short = Fr::from_u128((u128::from(limbs[0]) << 64 | u128::from(limbs[1])) >> bits);
            let long = Fr::from_raw([limbs[0], limbs[1], limbs[2], limbs[3] >> 3]);
            let value = if limbs[2].is_multiple_of(4) { long } else { short };
            if negative { -value } else { value }
        };
        let (scalars, bases): (Vec<Fr>, Vec<G1Affine>) =
            terms.iter().map(|(limbs, bits, negative, at)| (scalar(limbs, *bits, *negative), known[*at])).unzip();
        prop_assert_eq!(msm(&scalars, &bases), best_multiexp(&scalars, &bases));
    }
}
