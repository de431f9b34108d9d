//! `metrics.prom`: the status in Prometheus' text format, for the textfile collector of its node exporter.

use super::report::Status;
use std::fmt::Display;

/// The whole file.
pub fn text(status: &Status) -> String {
    let (totals, queue) = (&status.totals, &status.queue);
    let mut text = Text::default();
    text.one("proofs_accepted_total", "counter", "Proofs that were checked and kept.", totals.accepted);
    text.head("proofs_refused_total", "counter", "Files that were refused, by the error's code.");
    for (code, count) in &totals.refused {
        text.sample("proofs_refused_total", &[("code", code)], count);
    }
    text.one("proofs_waiting", "gauge", "Proofs that wait for a group.", queue.waiting);
    text.one("files_incoming", "gauge", "Files that were not looked at yet, or are held back.", queue.incoming);
    text.one("queue_limit", "gauge", "Most proofs that wait.", queue.limit);
    text.one("queue_full", "gauge", "Whether files are held back until a group makes room.", u8::from(queue.full));
    text.one("groups_open", "gauge", "Groups that are entered and not done.", status.open.len());
    text.one("groups_proven_total", "counter", "Groups that are done.", totals.groups);
    text.one("proofs_aggregated_total", "counter", "Proofs in them.", totals.aggregated);
    text.one("proving_cpu_seconds_total", "counter", "CPU seconds of proving groups.", totals.cpu_seconds);
    text.one("proving_wall_seconds_total", "counter", "Seconds of proving groups.", totals.wall_seconds);
    text.one("errors_total", "counter", "Errors that are no proof's.", totals.errors);
    if let Some(error) = &status.last_error {
        text.head("last_error_timestamp_seconds", "gauge", "When the last error that is no proof's happened, with its code.");
        text.sample("last_error_timestamp_seconds", &[("code", &error.code)], error.at);
    }
    text.one("last_written_timestamp_seconds", "gauge", "When this file was written.", status.at);
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(&format!("# HELP zkml_evm_aggregator_{name} {help}"));
        self.line(&format!("# TYPE zkml_evm_aggregator_{name} {kind}"));
    }

    /// Labels are codes of errors: letters, hyphens and slashes, which need no escapes.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.line(&format!("zkml_evm_aggregator_{name}{labels} {value}"));
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }
}
