use super::*;
use halo2_proofs::arithmetic::eval_polynomial;
use rand::rngs::OsRng;

fn random(count: usize) -> Vec<Fr> {
    (0..count).map(|_| Fr::random(OsRng)).collect()
}

/// What is dropped is the polynomial of low degree through the values at the points: the difference is a multiple of Z_S.
#[test]
fn a_division_drops_the_remainder_only() {
    for count in 1..5 {
        let (polynomial, points): (_, BTreeSet<Fr>) = (random(40), random(count).into_iter().collect());
        let quotient = divide(&polynomial, &points);
        assert_eq!(quotient.len(), 40 - count);
        let rest = |at: Fr| {
            let vanishing: Fr = points.iter().map(|point| at - point).product();
            eval_polynomial(&polynomial, at) - eval_polynomial(&quotient, at) * vanishing
        };
        // The rest is the polynomial of degree below |S| that its values at as many other points give.
        let others = random(count);
        let through =
            halo2_proofs::arithmetic::lagrange_interpolate(&others, &others.iter().map(|at| rest(*at)).collect::<Vec<_>>());
        for point in random(3).into_iter().chain(points.iter().copied()) {
            assert_eq!(rest(point), eval_polynomial(&through, point));
        }
        assert!(points.iter().all(|point| rest(*point) == eval_polynomial(&polynomial, *point)));
    }
}

/// Sets come in the order of their first polynomials, and polynomials in their own order: the powers of v and y go by it.
#[test]
fn sets_keep_the_order_of_their_polynomials() {
    let points = |numbers: &[u64]| -> BTreeSet<Fr> { numbers.iter().copied().map(Fr::from).collect() };
    let columns = [1, 2, 3, 4].map(|value| vec![Fr::from(value)]);
    let at = [&[5][..], &[6, 5], &[5], &[5, 6]];
    let opened = columns.iter().zip(at).map(|(column, at)| (Opened::Coefficients(column), points(at)));
    let got: Vec<(BTreeSet<Fr>, Vec<Fr>)> = sets(opened.collect())
        .into_iter()
        .map(|set| {
            (
                set.points,
                set.opened
                    .iter()
                    .map(|opened| match opened {
                        Opened::Coefficients(of) => of[0],
                        _ => Fr::ZERO,
                    })
                    .collect(),
            )
        })
        .collect();
    let of = |values: [u64; 2]| values.map(Fr::from).to_vec();
    assert_eq!(got, [(points(&[5]), of([1, 3])), (points(&[5, 6]), of([2, 4]))]);
    assert_eq!(by_column([(2, 0), (1, 1), (2, -1)].into_iter()), [(2, vec![0, -1]), (1, vec![1])]);
}
