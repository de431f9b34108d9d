//! The sponge against its documented vector; and which points reducing coordinates merges: none with coordinates below q.

use super::*;
use halo2_proofs::halo2curves::bn256::G1;

fn squeezed(values: &[u64]) -> Fr {
    let mut sponge = Sponge::default();
    values.iter().for_each(|v| sponge.absorb(Fr::from(*v)));
    sponge.squeeze()
}

#[test]
fn agrees_with_the_documented_vector() {
    let mut sponge = Sponge::default();
    let mut got = Vec::new();
    for absorbed in [vec![], vec![1, 2, 3], vec![], vec![4]] {
        absorbed.into_iter().for_each(|v: u64| sponge.absorb(Fr::from(v)));
        got.push(format!("{:?}", sponge.squeeze()));
    }
    let documented = include_str!("../../docs/aggregation.md");
    for value in got {
        assert!(documented.contains(&value), "{value}");
    }
}

#[test]
fn what_is_absorbed_is_never_confused_with_its_end() {
    let all = [&[][..], &[0], &[1], &[1, 0], &[1, 1], &[0, 0], &[1, 0, 1], &[1, 1, 0], &[0, 1]].map(squeezed);
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| a != b), "{i}");
    }
    let mut twice = Sponge::default();
    let first = twice.squeeze();
    assert_ne!(first, twice.squeeze());
}

#[test]
fn coordinates_are_reduced_and_infinity_has_none() {
    let minus_two = -Fq::from(2);
    // q - 2 mod r: q - r is a number of 128 bits.
    let expected = Fr::from_str_vartime("147946756881789318990833708069417712966").unwrap() - Fr::from(2);
    assert_eq!(reduce(minus_two), expected);
    assert_eq!(coordinates(&G1Affine::generator()), Some([Fr::from(1), Fr::from(2)]));
    assert_eq!(coordinates(&G1Affine::from(G1::default())), None);
}

/// q - r
fn difference() -> Fq {
    Fq::from_str_vartime("147946756881789318990833708069417712966").unwrap()
}

fn order() -> Fq {
    Fq::from_str_vartime("21888242871839275222246405745257275088548364400416034343698204186575808495617").unwrap()
}

/// Both are canonical integers.
fn below(a: Fq, b: Fq) -> bool {
    a.to_repr().as_ref().iter().rev().lt(b.to_repr().as_ref().iter().rev())
}

fn power(base: Fq, exponent: [u64; 4]) -> Fq {
    base.pow_vartime(exponent)
}

/// (q - 1) / 3
fn third() -> [u64; 4] {
    let bytes = (-Fq::ONE * Fq::from(3).invert().unwrap()).to_repr();
    // -1/3 is (q - 1) / 3, since q = 1 modulo 3.
    std::array::from_fn(|i| u64::from_le_bytes(bytes.as_ref()[8 * i..][..8].try_into().unwrap()))
}

/// `docs/soundness.md`, the transcript of aggregation: the three ways in which two points could agree, for coordinates below q.
#[test]
fn no_two_points_with_reduced_coordinates_have_the_same_modulo_r() {
    let (r, difference) = (order(), difference());
    assert_eq!(r + difference, Fq::ZERO);
    let y = difference * Fq::from(2).invert().unwrap();
    assert!(below(y, difference), "q - r is even");
    assert_ne!(power(y.square() - Fq::from(3), third()), Fq::ONE, "no point has this y");
    assert!(differing_by_r().iter().all(|x| !below(*x, difference)));
    assert!(!below(quartic_root(), difference));
}

/// The outer circuit has coordinates below 2^254 only. x and x + r are both below it where x is below 2^254 - r.
#[test]
fn below_two_to_the_254_one_x_has_another_and_the_outer_circuit_refuses_it() {
    // 2^254 modulo q is 2^254 - q.
    let bound = Fq::from(2).pow_vartime([254]) + difference();
    assert!(below(difference(), bound));
    let ambiguous: Vec<Fq> = differing_by_r().into_iter().filter(|x| below(*x, bound)).collect();
    let [x] = ambiguous[..] else { panic!("{ambiguous:?}") };
    assert_eq!(reduce(x), crate::outer::place::ambiguous_x());
    let square = x.square() * x + Fq::from(3);
    assert!(bool::from(square.sqrt().is_some()), "there are such points");
    let other = x + order();
    assert_eq!(other.square() * other + Fq::from(3), square);
    // Nor is there another representative: x + q + r is beyond 2^254. The first way needs no bound; the third has none below this one.
    assert!(!below(quartic_root(), bound));
}

/// Where `x^3 = (x + r)^3` modulo q: `r / (ζ - 1)` for both primitive cube roots of 1.
fn differing_by_r() -> [Fq; 2] {
    let zeta = power(Fq::from(3), third());
    assert!(zeta != Fq::ONE && zeta.square() * zeta == Fq::ONE);
    [zeta, zeta.square()].map(|zeta| order() * (zeta - Fq::ONE).invert().unwrap())
}

/// The one root of `(3x^2 + 3rx + r^2 - r)^2 - 4(x^3 + 3)`.
fn quartic_root() -> Fq {
    let r = order();
    // Lowest coefficient first.
    let inner = [r.square() - r, Fq::from(3) * r, Fq::from(3)];
    let mut quartic = multiply(&inner, &inner);
    quartic[3] -= Fq::from(4);
    quartic[0] -= Fq::from(12);
    // Its roots in the field are those of its common divisor with x^q - x.
    let mut frobenius = vec![Fq::ONE];
    let minus_one: [u8; 32] = (-Fq::ONE).to_repr();
    for bit in (0..256).rev() {
        frobenius = remainder(multiply(&frobenius, &frobenius), &quartic);
        if minus_one[bit / 8] >> (bit % 8) & 1 == 1 {
            frobenius = remainder(multiply(&frobenius, &[Fq::ZERO, Fq::ONE]), &quartic);
        }
    }
    // x^(q-1) so far; one more factor.
    frobenius = remainder(multiply(&frobenius, &[Fq::ZERO, Fq::ONE]), &quartic);
    frobenius.resize(4, Fq::ZERO);
    frobenius[1] -= Fq::ONE;
    let (mut a, mut b) = (quartic, trimmed(frobenius));
    while !b.is_empty() {
        (a, b) = (b.clone(), remainder(a, &b));
    }
    let [constant, leading] = a[..] else { panic!("{} roots", a.len() - 1) };
    -constant * leading.invert().unwrap()
}

fn multiply(a: &[Fq], b: &[Fq]) -> Vec<Fq> {
    let mut product = vec![Fq::ZERO; a.len() + b.len() - 1];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            product[i + j] += a * b;
        }
    }
    product
}

fn remainder(mut a: Vec<Fq>, b: &[Fq]) -> Vec<Fq> {
    let inverse = b.last().unwrap().invert().unwrap();
    while a.len() >= b.len() {
        let (factor, shift) = (*a.last().unwrap() * inverse, a.len() - b.len());
        for (i, b) in b.iter().enumerate() {
            a[shift + i] -= factor * b;
        }
        a.pop();
    }
    trimmed(a)
}

fn trimmed(mut a: Vec<Fq>) -> Vec<Fq> {
    while a.last() == Some(&Fq::ZERO) {
        a.pop();
    }
    a
}
