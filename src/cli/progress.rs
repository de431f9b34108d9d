//! Long work while somebody watches: its stages as they run, and what each of them took.

use super::measure::cpu_seconds;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What a stage took.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageCost {
    /// Its name.
    pub name: &'static str,
    /// CPU seconds of all threads.
    pub cpu_seconds: f64,
}

/// Running work; its line on the terminal goes away when this is dropped.
#[derive(Debug)]
pub struct Progress(Stages);

/// Says which stage runs, from whatever thread does the work.
#[derive(Clone, Debug)]
pub struct Stages {
    bar: Option<ProgressBar>,
    begun: Arc<Mutex<Vec<(&'static str, f64)>>>,
}

impl Progress {
    /// Starts; `watched` is whether there is a terminal to draw on.
    pub(super) fn start(watched: bool, stages: Option<u64>) -> Self {
        let bar = watched.then(|| {
            let (bar, template) = match stages {
                Some(stages) => (ProgressBar::new(stages), "{spinner} [{bar:20}] {pos}/{len} {msg} {elapsed}"),
                None => (ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}"),
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self(Stages { bar, begun: Arc::default() })
    }

    /// A handle for the worker.
    pub fn stages(&self) -> Stages {
        self.0.clone()
    }

    /// The stages so far; the last one ends now.
    pub fn costs(&self) -> Vec<StageCost> {
        let begun = self.0.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([cpu_seconds()]);
        begun.iter().zip(ends).map(|(&(name, start), end)| StageCost { name, cpu_seconds: end - start }).collect()
    }
}

impl Stages {
    /// The next stage.
    pub fn begin(&self, what: &'static str) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).push((what, cpu_seconds()));
        if let Some(bar) = &self.bar {
            bar.set_message(what);
            bar.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.0.bar.take() {
            bar.finish_and_clear();
        }
    }
}
