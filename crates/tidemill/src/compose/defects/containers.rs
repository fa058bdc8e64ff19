//! Defects of the compose file and of what it mounts: settings that set nothing, versions that
//! contradict each other, data that nobody keeps.

use std::os::unix::fs::PermissionsExt as _;

use super::super::project::ComposeProject;
use super::super::role::{self, Part, Role};
use super::super::service::Service;
use super::super::sources::Sources;
use super::{Notice, place};

/// Sections of Airflow's configuration that people set by variables.
const AIRFLOW_SECTIONS: [&str; 10] = [
    "WEBSERVER",
    "CORE",
    "DATABASE",
    "SCHEDULER",
    "CELERY",
    "API",
    "LOGGING",
    "SMTP",
    "SECRETS",
    "METRICS",
];

/// What is wrong in the compose file.
pub(super) fn find(project: &ComposeProject, sources: &Sources) -> Vec<Notice> {
    let file = project.file.as_str();
    let mut notices = Vec::new();
    for service in &project.services {
        notices.extend(lost_settings(file, service));
        notices.extend(not_executable(project, service));
    }
    notices.extend(other_airflow(project, sources));
    notices.extend(gone_images(project));
    notices.extend(moving_tags(project));
    notices.extend(nothing_kept(project));
    let mut told = std::collections::BTreeSet::new();
    notices.retain(|notice| told.insert((notice.what.clone(), notice.mend.clone())));
    notices
}

/// `AIRFLOW_WEBSERVER_SECRET_KEY` where `AIRFLOW__WEBSERVER__SECRET_KEY` was meant.
fn lost_settings(file: &str, service: &Service) -> Vec<Notice> {
    let lost = |name: &str| {
        let rest = name.strip_prefix("AIRFLOW_").filter(|rest| !rest.starts_with('_'))?;
        let (section, key) = rest.split_once('_')?;
        let key = key.trim_start_matches('_');
        AIRFLOW_SECTIONS.contains(&section).then(|| format!("AIRFLOW__{section}__{key}"))
    };
    let notice = |(name, line): (&String, usize)| {
        let meant = lost(name)?;
        let what = format!("{name} sets nothing: Airflow's settings have two underscores twice");
        Some(Notice::elsewhere(place(file, line), what, meant))
    };
    let variables = service.environment.iter();
    variables.filter_map(|(name, variable)| notice((name, variable.line))).collect()
}

/// An entrypoint that is mounted and may not be run: the container would not start.
fn not_executable(project: &ComposeProject, service: &Service) -> Vec<Notice> {
    let program = service.command.split_whitespace().next().unwrap_or_default();
    let mounted = service.mounts.iter().filter(|mount| mount.target == program);
    let is_closed = |source: &str| {
        let found = std::fs::metadata(project.dir.join(source));
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 == 0)
    };
    let closed = mounted.filter(|mount| is_closed(&mount.source));
    closed
        .map(|mount| {
            let name = mount.source.trim_start_matches("./");
            let what = "it may not be executed: its container would end with permission denied; \
                        here what it does is done already";
            Notice::elsewhere(name.to_owned(), what, format!("chmod +x {name}"))
        })
        .collect()
}

/// Airflow pinned to one version in a list that is installed into an image of another.
fn other_airflow(project: &ComposeProject, sources: &Sources) -> Vec<Notice> {
    let airflow = project.services.iter().find(|service| role::is_airflow(service));
    let Some(tag) = airflow.and_then(|service| role::tag(service.image.as_deref()?)) else {
        return Vec::new();
    };
    let image = tag.split('-').next().unwrap_or(tag);
    if !image.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Vec::new();
    }
    let mut notices = Vec::new();
    for list in &sources.requirements {
        let line = list.lines.iter().find(|line| line.name == "apache-airflow");
        let Some((line, pinned)) = line.and_then(|line| Some((line, line.pinned()?))) else {
            continue;
        };
        if pinned != image {
            let what = format!(
                "airflow {pinned} would be installed into an image of airflow {image}; here no \
                 airflow is installed"
            );
            let place = place(&list.path.display().to_string(), line.line);
            notices.push(Notice::elsewhere(place, what, format!("apache-airflow=={image}")));
        }
    }
    notices
}

/// Bitnami's images, which left the free part of Docker Hub in 2025.
fn gone_images(project: &ComposeProject) -> Option<Notice> {
    let gone = |service: &&Service| {
        service
            .image
            .as_deref()
            .is_some_and(|image| role::repository(image).starts_with("bitnami/"))
    };
    let services: Vec<&Service> = project.services.iter().filter(gone).collect();
    let first = services.first()?;
    let names = names(&services);
    let image = first.image.as_deref().unwrap_or_default();
    let what = format!("{names}: Bitnami's images are no longer free to pull; here none is pulled");
    let mend = image.replacen("bitnami/", "bitnamilegacy/", 1);
    Some(Notice::elsewhere(place(&project.file, first.image_line), what, mend))
}

/// `latest`, or no tag at all: another version every month.
fn moving_tags(project: &ComposeProject) -> Option<Notice> {
    let moving = |service: &&Service| {
        let image = service.image.as_deref().filter(|_| !service.built);
        image.is_some_and(|image| {
            !image.contains("@sha256:") && matches!(role::tag(image), None | Some("latest"))
        })
    };
    let services: Vec<&Service> = project.services.iter().filter(moving).collect();
    let first = services.first()?;
    let what = format!("{}: another version every month", names(&services));
    Some(Notice::elsewhere(place(&project.file, first.image_line), what, "a version as the tag"))
}

/// Parts whose data would go with their containers.
fn nothing_kept(project: &ComposeProject) -> Option<Notice> {
    let keeps_data = |service: &&Service| {
        let line = project.plan.lines.iter().find(|line| line.service == service.name);
        let holds = line.is_some_and(|line| {
            matches!(line.role, Role::Part(Part::Broker | Part::Store)) || is_metadata(line)
        });
        holds && service.mounts.is_empty()
    };
    let services: Vec<&Service> = project.services.iter().filter(keeps_data).collect();
    let first = services.first()?;
    let what = format!(
        "{}: no volume, so that docker compose down erases all of it; here it is kept in .tidemill",
        names(&services)
    );
    Some(Notice { place: place(&project.file, first.line), what, mend: None, breaks: false })
}

fn is_metadata(line: &super::super::plan::Line) -> bool {
    matches!(&line.role, Role::Needless(why) if why.starts_with("Airflow's own state"))
}

fn names(services: &[&Service]) -> String {
    services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tutorials_file_has_its_well_known_defects() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("docker-compose.yml"),
            include_str!("../tutorial.compose.yml"),
        )
        .unwrap();
        std::fs::create_dir(dir.path().join("script")).unwrap();
        std::fs::write(dir.path().join("script/entrypoint.sh"), "#!/bin/bash\n").unwrap();
        std::fs::write(dir.path().join("requirements.txt"), "x\napache-airflow==2.7.0\n").unwrap();
        let project = ComposeProject::find(dir.path(), std::iter::empty()).unwrap().unwrap();
        let notices = find(&project, &project.sources());
        let places: Vec<&str> = notices.iter().map(|notice| notice.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "docker-compose.yml:45",
                "script/entrypoint.sh",
                "requirements.txt:2",
                "docker-compose.yml:65",
                "docker-compose.yml:65",
                "docker-compose.yml:12",
            ],
            "{notices:#?}"
        );
        let meant = notices[0].mend.as_deref();
        assert_eq!(meant, Some("AIRFLOW__WEBSERVER__SECRET_KEY"));
        assert!(notices[5].what.starts_with("broker, postgres, cassandra_db: no volume"));
        assert!(notices.iter().all(|notice| !notice.breaks));
    }
}
