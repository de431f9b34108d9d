use super::*;
use crate::error::Explain;
use alloy::primitives::U256;
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fr, G1Affine, G2},
        group::{Curve, Group, prime::PrimeCurveAffine},
    },
};

const K: u32 = 3;
const N: usize = 1 << K;

/// The payload of an SRS file.
fn payload(srs: &Srs, label: &str) -> Vec<u8> {
    let mut bytes = (label.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(label.as_bytes());
    srs.params.write_custom(&mut bytes, SerdeFormat::RawBytes).unwrap();
    bytes
}

/// Where the points stand behind an `insecure-dev` label: powers, Lagrange basis, g2, s·g2.
fn g1(index: usize) -> std::ops::Range<usize> {
    let start = 4 + "insecure-dev".len() + 4 + 64 * index;
    start..start + 64
}

fn g2(index: usize) -> std::ops::Range<usize> {
    let start = g1(2 * N).start + 128 * index;
    start..start + 128
}

fn code(payload: &[u8]) -> &'static str {
    Srs::parse(payload).and_then(|srs| srs.check()).unwrap_err().code()
}

#[test]
fn what_is_written_reads_back() {
    for k in 1..=6 {
        let srs = Srs::development(k);
        let read = Srs::parse(&payload(&srs, "insecure-dev")).unwrap();
        read.check().unwrap();
        assert_eq!((read.k(), read.digest(), read.provenance), (k, srs.digest(), Provenance::InsecureDev));
    }
}

#[test]
fn every_single_point_is_bound() {
    let honest = payload(&Srs::development(K), "insecure-dev");
    for index in 0..2 * N {
        for wrong in [G1Affine::generator() * Fr::from(77), G1Affine::generator() * Fr::ZERO] {
            let mut forged = honest.clone();
            forged[g1(index)].copy_from_slice(&wrong.to_affine().to_raw_bytes());
            assert_eq!(code(&forged), "proof/srs-inconsistent", "point {index}");
        }
    }
    for index in 0..2 {
        for wrong in [G2::generator() * Fr::from(77), G2::identity()] {
            let mut forged = honest.clone();
            forged[g2(index)].copy_from_slice(&wrong.to_affine().to_raw_bytes());
            assert_eq!(code(&forged), "proof/srs-inconsistent", "point {index} of G2");
            assert!(Srs::parse(&forged).is_err(), "what verification uses is checked on reading");
        }
    }
}

#[test]
fn points_off_their_curve_are_refused() {
    let honest = payload(&Srs::development(K), "insecure-dev");
    let points = (0..2 * N).map(g1).chain((0..2).map(g2));
    for point in points {
        // The lowest byte of y: still canonical, and of no point with this x.
        let mut forged = honest.clone();
        forged[(point.start + point.end) / 2] ^= 1;
        let refused = Srs::parse(&forged).map(drop).unwrap_err();
        assert!(refused.to_string().contains("not on its curve"), "{refused}");
        // The same number under a second name, in each coordinate.
        for coordinate in point.step_by(32) {
            let refused = Srs::parse(&with_q_added(&honest, coordinate)).map(drop).unwrap_err();
            assert!(refused.to_string().contains("not on its curve"), "{refused}");
        }
    }
}

/// The bytes with the order of the coordinates' field added to the word at `at`, the least significant byte first.
fn with_q_added(bytes: &[u8], at: usize) -> Vec<u8> {
    let q = U256::from_str_radix("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16).unwrap();
    let mut changed = bytes.to_vec();
    let word = U256::from_le_slice(&bytes[at..at + 32]) + q;
    changed[at..at + 32].copy_from_slice(&word.to_le_bytes::<32>());
    changed
}

/// Two wrong points whose plain sum is right: the coefficients of the check are not constants.
#[test]
fn errors_that_cancel_in_a_sum_are_found() {
    let srs = Srs::development(K);
    let honest = payload(&srs, "insecure-dev");
    let shift = G1Affine::generator() * Fr::from(5);
    for (a, b) in [(2, 4), (N + 1, N + 6)] {
        let point = |index: usize| G1Affine::from_raw_bytes(&honest[g1(index)]).unwrap();
        let mut forged = honest.clone();
        forged[g1(a)].copy_from_slice(&(point(a) + shift).to_affine().to_raw_bytes());
        forged[g1(b)].copy_from_slice(&(point(b) - shift).to_affine().to_raw_bytes());
        assert_eq!(code(&forged), "proof/srs-inconsistent", "{a}, {b}");
    }
}

/// A point of the curve over Fq2 that is not in the subgroup of order r: most are not.
#[test]
fn s_g2_outside_the_subgroup_is_refused() {
    use halo2_proofs::halo2curves::{CurveAffine, bn256::Fq2, group::cofactor::CofactorGroup};
    let outside = (1u64..)
        .find_map(|x| {
            let x = Fq2::from(x);
            let y = Option::<Fq2>::from((x.square() * x + G2Affine::b()).sqrt())?;
            let point = Option::<G2Affine>::from(G2Affine::from_xy(x, y))?;
            (!bool::from(point.to_curve().is_torsion_free())).then_some(point)
        })
        .unwrap();
    let mut forged = payload(&Srs::development(K), "insecure-dev");
    forged[g2(1)].copy_from_slice(&outside.to_raw_bytes());
    let error = Srs::parse(&forged).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("subgroup"), "{error}");
}

#[test]
fn a_development_srs_under_another_name_is_refused() {
    let srs = Srs::development(K);
    assert_eq!(code(&payload(&srs, "ceremony 0xabc")), "proof/srs-relabelled");
    // Another secret may be a ceremony's, for all that the points say.
    let other = Srs { params: ParamsKZG::setup(K, ChaCha20Rng::from_seed([7; 32])), provenance: Provenance::InsecureDev };
    let read = Srs::parse(&payload(&other, "ceremony 0xabc")).unwrap();
    assert_eq!(read.provenance, Provenance::Ceremony("0xabc".into()));
}

/// The label goes into the contract's source, in a comment that ends with the line.
#[test]
fn labels_are_plain() {
    let srs = Srs::development(K);
    let long = format!("ceremony {}", "a".repeat(193));
    for label in ["", "dev", "insecure-dev ", "ceremony ", "ceremony a\ncontract Evil {}", "ceremony a b", long.as_str()] {
        assert_eq!(code(&payload(&srs, label)), "proof/artifact", "{label:?}");
    }
}

#[test]
fn the_development_points_are_those_of_halo2s_setup() {
    let seed = *keccak256("zkml-evm insecure development SRS");
    for k in [1, 2, 5, 8] {
        let expected = ParamsKZG::<Bn256>::setup(k, ChaCha20Rng::from_seed(seed));
        let made = Srs::development(k).params;
        let bytes = |params: &ParamsKZG<Bn256>| {
            let mut bytes = Vec::new();
            params.write_custom(&mut bytes, SerdeFormat::RawBytes).unwrap();
            bytes
        };
        assert_eq!(bytes(&made), bytes(&expected), "k = {k}");
    }
}
