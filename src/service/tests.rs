//! The folders with a stand-in for proving, so that the process can be killed after every single change.

use super::{Cost, Service, ServiceError, Settings, Work, group, places, report::Status, waiting::Waiting};
use crate::{
    artifact::{
        ArtifactError,
        aggregate::{KindSlots, Part},
    },
    error::Explain,
};
use alloy::primitives::B256;
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::Path,
    rc::Rc,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

const A: B256 = B256::repeat_byte(0xaa);
const B: B256 = B256::repeat_byte(0xbb);

/// What the stand-in is told to do.
#[derive(Debug, Default)]
struct Orders {
    /// The first public values of proofs that do not hold, from now on.
    bad: Vec<u64>,
    /// Of proofs that hold and cannot be aggregated.
    stubborn: Vec<u64>,
    /// Whether the machine gives up.
    broken: bool,
    proven: u32,
}

/// Two slots of model A, one of model B. An aggregate is the list of its proofs' public values.
#[derive(Clone, Debug, Default)]
struct Cheap(Rc<RefCell<Orders>>);

fn refusal(problem: &str) -> ArtifactError {
    ArtifactError::Slots { problem: problem.into() }
}

impl Work for Cheap {
    fn aggregate_id(&self) -> B256 {
        B256::repeat_byte(1)
    }

    fn kinds(&self) -> Vec<KindSlots> {
        [(A, 2), (B, 1)].map(|(kind, count)| KindSlots { kind, count, may_be_empty: true }).to_vec()
    }

    fn longest_file(&self) -> usize {
        2_000
    }

    fn check(&self, proof: &Part) -> Result<(), ArtifactError> {
        let bad = self.0.borrow().bad.iter().any(|&bad| word(bad) == proof.words()[0]);
        if bad { Err(refusal("it does not hold")) } else { Ok(()) }
    }

    fn aggregate(&self, proofs: &[Part], out: &Path) -> Result<Cost, ArtifactError> {
        if self.0.borrow().broken {
            return Err(refusal("the machine gives up"));
        }
        proofs.iter().try_for_each(|proof| self.check(proof))?;
        if proofs.iter().any(|proof| self.0.borrow().stubborn.iter().any(|&value| word(value) == proof.words()[0])) {
            return Err(ArtifactError::Malformed { path: out.into(), kind: "proof", problem: "two points are one".into() });
        }
        self.0.borrow_mut().proven += 1;
        let words: Vec<_> = proofs.iter().map(|proof| proof.words()).collect();
        crate::proof::artifact::write_bytes(out, json!(words).to_string().as_bytes(), false)?;
        Ok(Cost { cpu_seconds: 2.5, wall_seconds: 1.0 })
    }

    fn verify(&self, aggregate: &Path) -> Result<(), ArtifactError> {
        let text = fs::read_to_string(aggregate).unwrap();
        serde_json::from_str::<Vec<Vec<B256>>>(&text).map(drop).map_err(|_| refusal("no aggregate"))
    }
}

fn word(value: u64) -> B256 {
    B256::left_padding_from(&value.to_be_bytes())
}

fn hand_in(root: &Path, name: &str, model: B256, value: u64) {
    let proof = json!({
        "format": "zkml-evm/proof", "version": 2, "for": "aggregation", "modelId": model, "publicInputs": [word(value)], "proof": "0x00",
    });
    fs::create_dir_all(root.join("incoming")).unwrap();
    fs::write(root.join("incoming").join(name), proof.to_string()).unwrap();
}

fn settings(seconds: u64, queue: usize) -> Settings {
    Settings { patience: Duration::from_secs(seconds), queue }
}

fn open(root: &Path, work: &Cheap) -> Service<Cheap> {
    Service::open(root, work.clone(), settings(0, 10)).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    places::names(folder).unwrap().into_iter().map(|name| name.into_string().unwrap()).collect()
}

/// Performs `acts` changes; the answer is whether there were as many. Dropped afterwards, the service is killed.
fn perform(service: &mut Service<Cheap>, acts: u64) -> bool {
    service.listed = super::incoming::list(&service.places.incoming()).unwrap().into();
    while service.acts < acts {
        if !service.step(&|_| ()).unwrap() {
            return false;
        }
    }
    true
}

/// The values of the proofs in each group that is done, from its aggregate and from what lies beside it.
fn done(root: &Path) -> BTreeMap<String, Vec<B256>> {
    let group = |id: String| {
        let folder = root.join("done").join(&id);
        let aggregate: Vec<Vec<B256>> = serde_json::from_slice(&fs::read(folder.join("aggregate.json")).unwrap()).unwrap();
        let entry: group::Entry = serde_json::from_slice(&fs::read(folder.join("group.json")).unwrap()).unwrap();
        let beside = entry.proofs.iter().map(|member| Part::load(&folder.join(&member.file)).unwrap().words());
        assert_eq!(beside.collect::<Vec<_>>(), aggregate);
        assert_eq!(names(&folder).len(), aggregate.len() + 2);
        (id, aggregate.concat())
    };
    names(&root.join("done")).into_iter().map(group).collect()
}

fn reason(root: &Path, name: &str) -> String {
    let path = root.join("refused").join(format!("{name}.reason.json"));
    let reason: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(reason["message"].as_str().is_some_and(|m| !m.is_empty()) && reason["hint"].is_string());
    reason["code"].as_str().unwrap().to_owned()
}

fn status(root: &Path) -> Status {
    serde_json::from_slice(&fs::read(root.join("status.json")).unwrap()).unwrap()
}

/// Five proofs of two models, and others that are refused.
fn crowd(root: &Path) {
    for (name, model, value) in [("a1", A, 1), ("a2", A, 2), ("a3", A, 3), ("b4", B, 4), ("b5", B, 5)] {
        hand_in(root, name, model, value);
    }
    hand_in(root, "again", A, 1);
    hand_in(root, "bad", A, 66);
    fs::write(root.join("incoming/text"), "no proof").unwrap();
    fs::create_dir(root.join("incoming/folder")).unwrap();
}

#[test]
fn killed_after_any_change_nothing_is_lost_and_nothing_happens_twice() {
    // Proof 2 ceases to hold after it was accepted: its group is dissolved and the others are grouped anew.
    for turned in [None, Some(2)] {
        for acts in 0.. {
            let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
            let root = folder.path();
            crowd(root);
            work.0.borrow_mut().bad = vec![66];
            let mut service = open(root, &work);
            let reached = perform(&mut service, acts);
            let entered: Vec<String> = service.open.iter().map(group::Entry::id).collect();
            // Accepted by then or not: it ends in `refused/`.
            work.0.borrow_mut().bad.extend(turned.filter(|_| entered.is_empty()));
            drop(service);
            let already = done(root);
            open(root, &work).run(&|_| ()).unwrap();

            let groups = done(root);
            let mut values: Vec<B256> = groups.values().flatten().copied().collect();
            values.sort();
            let turned = turned
                .filter(|&value| work.0.borrow().bad.contains(&value) && !already.values().flatten().any(|w| *w == word(value)));
            let expected: Vec<B256> = (1..=5).filter(|&value| Some(value) != turned).map(word).collect();
            assert_eq!(values, expected, "after {acts} changes");
            assert!(entered.iter().chain(already.keys()).all(|id| groups.contains_key(id)), "after {acts} changes");
            for empty in ["incoming", "waiting", "groups"] {
                assert_eq!(names(&root.join(empty)), [""; 0], "after {acts} changes");
            }
            let mut refused = vec!["again", "bad", "folder", "text"];
            if turned.is_some() {
                refused.insert(0, "a2");
            }
            let files: Vec<String> =
                names(&root.join("refused")).into_iter().filter(|name| !name.ends_with(".reason.json")).collect();
            assert_eq!(files, refused, "after {acts} changes");
            let codes = [
                ("again", "service/duplicate"),
                ("bad", "artifact/slots"),
                ("folder", "service/not-plain"),
                ("text", "artifact/malformed"),
            ];
            codes.iter().for_each(|(name, code)| assert_eq!(reason(root, name), *code, "after {acts} changes"));
            if !reached {
                assert!(acts > 25, "there are more changes than that");
                break;
            }
        }
    }
}

/// The work is done, and that it could not be told is an error of the machine; the next run tells it.
#[test]
fn a_status_that_cannot_be_written_holds_up_no_group() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    crowd(root);
    work.0.borrow_mut().bad = vec![66];
    let mut service = open(root, &work);
    fs::create_dir_all(root.join("status.json/taken")).unwrap();
    let error = service.run(&|_| ()).unwrap_err();
    assert!(error.is_of_the_machine() && error.to_string().contains("status.json"), "{error}");
    let mut values: Vec<B256> = done(root).values().flatten().copied().collect();
    values.sort();
    assert_eq!(values, (1..=5).map(word).collect::<Vec<_>>());
    fs::remove_dir_all(root.join("status.json")).unwrap();
    service.run(&|_| ()).unwrap();
    assert_eq!(status(root).totals.aggregated, 5);
}

#[test]
fn a_proof_that_ceases_to_hold_is_refused_wherever_the_process_is_killed_then() {
    for acts in 0.. {
        let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
        let root = folder.path();
        hand_in(root, "a1", A, 1);
        hand_in(root, "a2", A, 2);
        hand_in(root, "b3", B, 3);
        let mut service = open(root, &work);
        while service.open.is_empty() {
            service.listed = super::incoming::list(&service.places.incoming()).unwrap().into();
            service.step(&|_| ()).unwrap();
        }
        let first = service.open[0].id();
        work.0.borrow_mut().bad = vec![2];
        let until = service.acts + acts;
        let reached = perform(&mut service, until);
        drop(service);
        let mut service = open(root, &work);
        service.run(&|_| ()).unwrap();
        let groups = done(root);
        assert!(!groups.contains_key(&first) && groups.len() == 1, "after {acts} changes");
        let mut values = groups.values().next().unwrap().clone();
        values.sort();
        assert_eq!((values, reason(root, "a2").as_str()), (vec![word(1), word(3)], "artifact/slots"), "after {acts} changes");
        assert!(service.waiting.is_empty() && service.open.is_empty());
        if !reached {
            assert!(acts > 8);
            break;
        }
    }
}

#[test]
fn a_machine_that_gives_up_loses_nothing() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    (1..=2).for_each(|value| hand_in(root, &format!("a{value}"), A, value));
    work.0.borrow_mut().broken = true;
    let mut service = open(root, &work);
    let error = service.run(&|_| ()).unwrap_err();
    assert!(error.to_string().contains("gives up"), "{error}");
    let id = service.open[0].id();
    let told = status(root);
    assert_eq!((told.totals.errors, told.last_error.unwrap().code.as_str()), (1, "artifact/slots"));
    assert_eq!((told.open.as_slice(), told.queue.waiting), ([id.clone()].as_slice(), 0));
    let metrics = fs::read_to_string(root.join("metrics.prom")).unwrap();
    assert!(metrics.contains("\nzkml_evm_aggregator_last_error_timestamp_seconds{code=\"artifact/slots\"} "), "{metrics}");
    work.0.borrow_mut().broken = false;
    service.run(&|_| ()).unwrap();
    assert_eq!(done(root).into_keys().collect::<Vec<_>>(), [id]);
    let metrics = fs::read_to_string(root.join("metrics.prom")).unwrap();
    for line in [
        "proofs_accepted_total 2",
        "groups_proven_total 1",
        "proofs_aggregated_total 2",
        "proving_cpu_seconds_total 2.5",
        "proofs_waiting 0",
    ] {
        assert!(metrics.contains(&format!("\nzkml_evm_aggregator_{line}\n")), "{line}: {metrics}");
    }
    assert_eq!(work.0.borrow().proven, 1);
}

/// docs/soundness.md names such proofs: whoever makes one keeps nobody else waiting.
#[test]
fn a_proof_that_cannot_be_aggregated_is_refused_alone() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    [("a1", A, 1), ("a2", A, 2), ("b3", B, 3)].iter().for_each(|(name, model, value)| hand_in(root, name, *model, *value));
    work.0.borrow_mut().stubborn = vec![2];
    let mut service = open(root, &work);
    service.run(&|_| ()).unwrap();
    let mut values: Vec<B256> = done(root).into_values().flatten().collect();
    values.sort();
    assert_eq!((values, reason(root, "a2").as_str()), (vec![word(1), word(3)], "artifact/malformed"));
    assert!(service.waiting.is_empty() && service.open.is_empty() && names(&root.join("groups")).is_empty());
}

/// A statement is of its model: the same words of another are another.
#[test]
fn proofs_of_two_models_with_the_same_words_are_both_aggregated() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    hand_in(root, "b", B, 1);
    hand_in(root, "a", A, 1);
    open(root, &work).run(&|_| ()).unwrap();
    assert_eq!(done(root).into_values().flatten().collect::<Vec<_>>(), [word(1); 2]);
}

/// What whoever handed a file in can do to it is no trouble of the machine's.
#[test]
fn an_error_of_one_file_is_told_from_one_of_the_machine() {
    let of = |code: i32, path: &str| {
        let source = std::io::Error::from_raw_os_error(code);
        ServiceError::Io { doing: "read", path: path.into(), source }.is_of_the_file(Path::new("incoming/0"))
    };
    assert!([libc::EWOULDBLOCK, libc::ELOOP, libc::ENXIO, libc::EIO, libc::EACCES].iter().all(|&code| of(code, "incoming/0")));
    assert!([libc::EMFILE, libc::ENFILE, libc::ENOMEM].iter().all(|&code| !of(code, "incoming/0")));
    assert!(!of(libc::EIO, "waiting/0"));
    assert!(!ServiceError::Busy { path: "incoming/0".into() }.is_of_the_file(Path::new("incoming/0")));
}

/// Between the look at a name and opening it, it may have become a link or a pipe.
#[test]
fn a_link_is_not_followed_and_a_pipe_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("plain"), "text").unwrap();
    std::os::unix::fs::symlink(path("plain"), path("link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    assert!(super::incoming::open(&path("plain")).is_ok());
    assert_eq!(super::incoming::open(&path("link")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
    assert!(!super::incoming::open(&path("pipe")).unwrap().metadata().unwrap().is_file());
}

#[test]
fn a_damaged_aggregate_is_made_anew() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    (1..=2).for_each(|value| hand_in(root, &format!("a{value}"), A, value));
    let mut service = open(root, &work);
    while work.0.borrow().proven == 0 {
        service.listed = super::incoming::list(&service.places.incoming()).unwrap().into();
        service.step(&|_| ()).unwrap();
    }
    let aggregate = root.join("groups").join(service.open[0].id()).join("aggregate.json");
    drop(service);
    fs::write(aggregate, "[").unwrap();
    open(root, &work).run(&|_| ()).unwrap();
    assert_eq!((done(root).len(), work.0.borrow().proven), (1, 2));
}

#[test]
fn groups_are_formed_when_full_or_after_the_wait() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let proof = |n: u8, kind, age| Waiting {
        file: format!("{n}"),
        name: format!("{n}"),
        statement: B256::repeat_byte(n),
        kind,
        since: now - Duration::from_secs(age),
    };
    let kinds = Cheap::default().kinds();
    let formed = |kinds: &[KindSlots], waiting: &[Waiting]| {
        let members = group::form(kinds, waiting, Duration::from_secs(60), now)?;
        Some(members.into_iter().map(|member| member.file).collect::<Vec<_>>().concat())
    };
    let full = [proof(1, A, 1), proof(2, A, 3), proof(3, A, 2), proof(4, B, 1)];
    assert_eq!(formed(&kinds, &full).as_deref(), Some("234"), "the oldest of each model");
    assert_eq!(formed(&kinds, &full[..3]), None, "B's slot is empty");
    assert_eq!(formed(&kinds, &[proof(1, A, 1), proof(2, A, 60)]).as_deref(), Some("21"));
    assert_eq!(formed(&kinds, &[proof(1, A, 59)]), None);
    assert_eq!(formed(&kinds, &[]), None);
    let strict = [kinds[0], KindSlots { may_be_empty: false, ..kinds[1] }];
    assert_eq!(formed(&strict, &[proof(1, A, 500), proof(2, A, 500)]), None, "nothing can fill B's slot");
    assert_eq!(formed(&strict, &[proof(1, A, 500), proof(4, B, 1)]).as_deref(), Some("14"));
}

#[test]
fn beyond_the_queue_files_stay_where_they_are() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    // B's slot stays empty, and nobody has waited long: no group. Of A come as many as the queue holds.
    (1..=6).for_each(|value| hand_in(root, &format!("a{value}"), A, value));
    let mut service = Service::open(root, work.clone(), settings(1_000, 4)).unwrap();
    service.run(&|_| ()).unwrap();
    let queue = status(root).queue;
    assert_eq!((queue.waiting, queue.incoming, queue.full, names(&root.join("waiting")).len()), (4, 2, true, 4));
    // One of B finds its place all the same, or A's could never leave; and then the rest follows.
    hand_in(root, "z7", B, 7);
    service.run(&|_| ()).unwrap();
    assert_eq!(done(root).len(), 1);
    let queue = status(root).queue;
    assert_eq!((queue.waiting, queue.incoming, queue.full), (4, 0, false), "two have left, two have come");
}

#[test]
fn a_folder_has_one_process_and_one_aggregate() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let first = open(folder.path(), &work);
    let refused = |queue| Service::open(folder.path(), work.clone(), settings(0, queue)).map(drop).unwrap_err();
    assert_eq!(refused(10).code(), "service/busy");
    assert_eq!(refused(2).code(), "service/queue");
    drop(first);
    let owner = fs::read_to_string(folder.path().join("aggregator.json")).unwrap();
    fs::write(folder.path().join("aggregator.json"), owner.replace("0101", "0202")).unwrap();
    assert!(matches!(refused(10), ServiceError::OtherAggregate { .. }));
}

/// What `run` leaves of files handed in one after the other.
fn refused_names(files: &[(&str, &str)]) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut service = open(folder.path(), &Cheap::default());
    for (name, text) in files {
        fs::write(folder.path().join("incoming").join(name), text).unwrap();
        service.run(&|_| ()).unwrap();
    }
    let names = names(&folder.path().join("refused"));
    (folder, names)
}

#[test]
fn whatever_the_names_nothing_is_overwritten() {
    let files = [("x", "1"), ("x.reason.json", "2"), ("x", "3"), (".hidden", "4"), ("part.tmp", "5")];
    let (folder, names) = refused_names(&files);
    let expected = ["x", "x.2", "x.2.reason.json", "x.reason.json", "x.reason.json.file", "x.reason.json.file.reason.json"];
    assert_eq!(names, expected);
    let text = |name: &str| fs::read_to_string(folder.path().join("refused").join(name)).unwrap();
    assert_eq!([text("x"), text("x.reason.json.file"), text("x.2")], ["1", "2", "3"]);
    assert!(folder.path().join("incoming/.hidden").exists() && folder.path().join("incoming/part.tmp").exists());

    let long = "n".repeat(200);
    let (folder, names) = refused_names(&[(&long, "1"), ("large", &"x".repeat(2_001 + super::PAPERS_TEXT))]);
    assert_eq!(names[0], "large");
    assert_eq!((names[2].len(), reason(folder.path(), &names[2]).as_str()), (128, "service/name"));
    assert_eq!(reason(folder.path(), "large"), "service/too-large");
}

#[test]
fn the_same_file_handed_in_again_changes_nothing() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    for _ in 0..2 {
        hand_in(root, "a1", A, 1);
        open(root, &work).run(&|_| ()).unwrap();
    }
    assert_eq!((done(root).len(), names(&root.join("refused")).len(), names(&root.join("incoming")).len()), (1, 0, 0));
    hand_in(root, "other", A, 1);
    open(root, &work).run(&|_| ()).unwrap();
    assert_eq!(reason(root, "other"), "service/duplicate");
    assert_eq!(work.0.borrow().proven, 1);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_refused_without_being_opened() {
    let (folder, work) = (tempfile::tempdir().unwrap(), Cheap::default());
    let root = folder.path();
    let mut service = open(root, &work);
    hand_in(root, "a1", A, 1);
    fs::rename(root.join("incoming/a1"), root.join("secret")).unwrap();
    std::os::unix::fs::symlink(root.join("secret"), root.join("incoming/link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("incoming/pipe")).status().unwrap().success());
    service.run(&|_| ()).unwrap();
    assert_eq!([reason(root, "link"), reason(root, "pipe")], ["service/not-plain", "service/not-plain"]);
    assert!(done(root).is_empty() && root.join("secret").exists());
}
