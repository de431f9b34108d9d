use super::*;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use rand::rngs::OsRng;

/// The results of every operation on two vectors.
struct Operations<'a>(&'a [Fr], &'a [Fr]);

impl Work for Operations<'_> {
    type Result = [Vec<Fr>; 9];

    #[inline(always)]
    fn run<L: Lanes>(self) -> Self::Result {
        let mut results = [(); 9].map(|_| vec![Fr::ZERO; self.0.len()]);
        for i in (0..self.0.len()).step_by(L::WIDTH) {
            let (a, b) = (L::load(&self.0[i..]), L::load(&self.1[i..]));
            let scale = L::all(&L::factor(&Fr::from(L::SCALE)));
            // Long chains come to the ends of what a lane may hold.
            let chain = (0..20).fold(a, |chain, _| chain.sub(b).add(chain).mul(scale));
            let (twice_a, twice_b) = (a.add(a), b.add(b));
            let all = [
                a.add(b),
                a.sub(b),
                a.mul(b),
                a.sub_mul(b, scale),
                chain,
                twice_a.add(twice_b),
                twice_a.sub(twice_b),
                twice_a.mul(twice_b),
                twice_a.sub_mul(twice_b, scale.add(scale)),
            ];
            for (result, lanes) in results.iter_mut().zip(all) {
                lanes.store(&mut result[i..]);
            }
        }
        results
    }
}

#[test]
fn all_lanes_compute_as_the_field_does() {
    let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(16), -Fr::from(2), Fr::TWO_INV];
    let random: Vec<Fr> = (0..1000).map(|_| Fr::random(OsRng)).collect();
    let (mut left, mut right): (Vec<Fr>, Vec<Fr>) = edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b))).unzip();
    left.extend(&random);
    right.extend(random.iter().rev());
    left.truncate(left.len() / MOST * MOST);
    for width in [Width::ONE, Width::of(10)] {
        let [sum, difference, product, by_scale, chain, sum2, difference2, product2, by_scale2] =
            width.run(Operations(&left, &right));
        let scale = width.scale();
        for (i, (a, b)) in left.iter().zip(&right).enumerate() {
            let chained = (0..20).fold(*a, |chain, _| chain.double() - b);
            assert_eq!([sum[i], difference[i], product[i] * scale, by_scale[i], chain[i]], [a + b, a - b, a * b, a - b, chained]);
            let (a, b) = (a.double(), b.double());
            assert_eq!([sum2[i], difference2[i], product2[i] * scale, by_scale2[i]], [a + b, a - b, a * b, (a - b).double()]);
        }
    }
}
