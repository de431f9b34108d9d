use super::*;
use halo2_proofs::{arithmetic::Field, poly::EvaluationDomain};
use rand::rngs::OsRng;

fn values(k: u32, domain: &EvaluationDomain<Fr>) -> Polynomial<Fr, LagrangeCoeff> {
    domain.lagrange_from_vec((0..1u64 << k).map(|i| if i % 3 == 0 { Fr::random(OsRng) } else { -Fr::from(i) }).collect())
}

/// Whatever a committer is made from, its commitments in both bases are halo2's.
#[test]
fn commitments_are_those_of_halo2() {
    let srs = Srs::development(6);
    let mut smaller = Committer::of(&srs).unwrap();
    smaller.downsize(5);
    let mut file = Vec::new();
    smaller.write(&mut file).unwrap();
    let read = Committer::read(&mut &file[..]).unwrap();
    for committer in [Committer::of(&srs).unwrap(), smaller, read] {
        let domain = EvaluationDomain::new(1, committer.k());
        let values = values(committer.k(), &domain);
        let coefficients = domain.lagrange_to_coeff(values.clone());
        let expected = committer.kzg.commit(&coefficients, Blind::default());
        assert_eq!(committer.commit_coefficients(&coefficients), expected);
        assert_eq!(committer.commit_lagrange(&values, Blind::default()), expected);
        assert_eq!(committer.kzg.commit_lagrange(&values, Blind::default()), expected);
    }
}
