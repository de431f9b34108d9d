//! Failures of the node about one group: the others are asked about all the same, unless it answers nothing any more.

use crate::cli::failure::Failure;

/// Groups in a row without an answer, after which the node is not asked about the next one.
const MOST: usize = 3;

/// What there was no answer about.
#[derive(Debug, Default)]
pub struct Unanswered {
    /// The first failure that passes.
    pub first: Option<Failure>,
    in_a_row: usize,
}

/// What was heard about a group.
#[derive(Debug)]
pub enum Heard<T> {
    /// An answer, or a failure of the group's own.
    Answer(Result<T, Failure>),
    /// Nothing; perhaps about the next one.
    Nothing,
    /// Nothing about several in a row.
    NothingAgain,
}

impl Unanswered {
    /// Keeps the first failure that passes.
    pub fn sort_out<T>(&mut self, answer: Result<T, Failure>) -> Heard<T> {
        match answer {
            Err(failure) if failure.retryable() => {
                self.first.get_or_insert(failure);
                self.in_a_row += 1;
                if self.in_a_row < MOST { Heard::Nothing } else { Heard::NothingAgain }
            }
            answer => {
                self.in_a_row = 0;
                Heard::Answer(answer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Unanswered};
    use crate::{
        chain::ChainError,
        cli::failure::{CliError, Failure},
    };

    fn timeout(what: &str) -> Result<(), Failure> {
        let (endpoint, what) = ("http://node".to_owned(), what.to_owned());
        Err(ChainError::Timeout { endpoint, what, seconds: 1 }.into())
    }

    #[test]
    fn one_group_without_an_answer_stops_no_other_and_three_in_a_row_do() {
        let mut unanswered = Unanswered::default();
        let damaged = || Err::<(), Failure>(CliError::Conflict("a file".to_owned()).into());
        assert!(matches!(unanswered.sort_out(damaged()), Heard::Answer(Err(_))) && unanswered.first.is_none());
        for what in ["first", "second"] {
            assert!(matches!(unanswered.sort_out(timeout(what)), Heard::Nothing));
        }
        assert!(matches!(unanswered.sort_out(Ok(())), Heard::Answer(Ok(()))));
        assert!(matches!(unanswered.sort_out(timeout("third")), Heard::Nothing), "not in a row");
        assert!(matches!(unanswered.sort_out(timeout("fourth")), Heard::Nothing));
        assert!(matches!(unanswered.sort_out(timeout("fifth")), Heard::NothingAgain));
        assert!(unanswered.first.unwrap().to_string().contains("first"));
    }
}
