//! Portraits: a drawing for each of the numbers that the original has photographs for.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::draw::Draw;
use crate::server::error;

/// Portraits of men are numbered from 0 to this, of women to [`WOMEN_LAST`].
const MEN_LAST: u32 = 99;
const WOMEN_LAST: u32 = 96;

const SKINS: [&str; 6] = ["#f6d7b8", "#eab98a", "#d79a68", "#b5774a", "#8a5533", "#5f3a24"];
const HAIRS: [&str; 6] = ["#1f1a17", "#3b2a20", "#6b442b", "#a5692f", "#d9b26a", "#8d8d93"];
const SHIRTS: [&str; 6] = ["#3b6ea5", "#5a8f69", "#a5514b", "#7d5ba6", "#c98a2b", "#44525f"];
const WALLS: [&str; 6] = ["#dbe7f3", "#e3efe0", "#f4e3dd", "#ebe3f5", "#f6efd9", "#e2e6ea"];

/// One of the portraits there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portrait {
    is_male: bool,
    number: u32,
}

impl Portrait {
    /// Any portrait of a man or a woman.
    pub(super) fn of(is_male: bool, draw: &mut Draw) -> Portrait {
        let last = if is_male { MEN_LAST } else { WOMEN_LAST };
        Portrait { is_male, number: draw.below(u64::from(last) + 1) as u32 }
    }

    /// The one at `men/7.svg`; also by the original's name for it, `men/7.jpg`.
    fn at(folder: &str, file: &str) -> Option<Portrait> {
        let number = file.strip_suffix(".svg").or_else(|| file.strip_suffix(".jpg"))?;
        let number = number.parse::<u32>().ok()?;
        let (is_male, last) = match folder {
            "men" => (true, MEN_LAST),
            "women" => (false, WOMEN_LAST),
            _ => return None,
        };
        (number <= last).then_some(Portrait { is_male, number })
    }

    fn folder(self) -> &'static str {
        if self.is_male { "men" } else { "women" }
    }

    /// The field `picture` of a person.
    pub(super) fn links(self, base: &str) -> Value {
        let (folder, number) = (self.folder(), self.number);
        json!({
            "large": format!("{base}/{folder}/{number}.svg"),
            "medium": format!("{base}/med/{folder}/{number}.svg"),
            "thumbnail": format!("{base}/thumb/{folder}/{number}.svg"),
        })
    }

    /// A head and shoulders, `size` pixels wide and high.
    fn svg(self, size: u32) -> String {
        let mut draw = Draw::keyed(self.folder(), u64::from(self.number));
        let mut one = |colours: [&'static str; 6]| colours[draw.below(6) as usize];
        let (skin, hair, shirt, wall) = (one(SKINS), one(HAIRS), one(SHIRTS), one(WALLS));
        let fall = draw.range(2, 10);
        // Hair falls beside the face of women, and stays above that of men.
        let length = if self.is_male { 40 + fall } else { 72 + 2 * fall };
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128" width="{size}" height="{size}">
<rect width="128" height="128" fill="{wall}"/>
<rect x="32" y="20" width="64" height="{length}" rx="30" fill="{hair}"/>
<rect x="54" y="76" width="20" height="24" fill="{skin}"/>
<path d="M18 128c0-24 18-34 46-34s46 10 46 34z" fill="{shirt}"/>
<ellipse cx="64" cy="60" rx="25" ry="30" fill="{skin}"/>
<path d="M39 54c2-20 14-26 25-26s23 6 25 26c-8-{fall}-16-12-25-12s-17 4-25 12z" fill="{hair}"/>
<circle cx="54" cy="62" r="2.6"/><circle cx="74" cy="62" r="2.6"/>
<path d="M56 75q8 {fall} 16 0" fill="none" stroke="brown" stroke-width="2"/>
</svg>
"#
        )
    }
}

/// `GET /api/portraits/men/7.svg`: 128 pixels.
pub(super) async fn large(Path((folder, file)): Path<(String, String)>) -> Response {
    answer(&folder, &file, 128)
}

/// `GET /api/portraits/med/men/7.svg` and `/thumb/…`: 72 and 48 pixels.
pub(super) async fn small(Path((scale, folder, file)): Path<(String, String, String)>) -> Response {
    match scale.as_str() {
        "med" => answer(&folder, &file, 72),
        "thumb" => answer(&folder, &file, 48),
        _ => error(StatusCode::NOT_FOUND, format_args!("no portraits of size {scale:?}")),
    }
}

fn answer(folder: &str, file: &str, size: u32) -> Response {
    match Portrait::at(folder, file) {
        Some(portrait) => {
            ([(header::CONTENT_TYPE, "image/svg+xml")], portrait.svg(size)).into_response()
        }
        None => error(StatusCode::NOT_FOUND, format_args!("no portrait {folder}/{file}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_leads_to_a_portrait() {
        for index in 0..500 {
            let portrait = Portrait::of(index % 2 == 0, &mut Draw::keyed("portraits", index));
            let links = portrait.links("");
            let (folder, file) = links["large"].as_str().unwrap()[1..].split_once('/').unwrap();
            let found = Portrait::at(folder, file).unwrap();
            assert_eq!((found.is_male, found.number), (portrait.is_male, portrait.number));
        }
        assert!(Portrait::at("men", "99.jpg").is_some());
        for (folder, file) in [("men", "100.svg"), ("women", "97.svg"), ("lego", "1.svg")] {
            assert!(Portrait::at(folder, file).is_none(), "{folder}/{file}");
        }
        assert!(Portrait::at("men", "7").is_none() && Portrait::at("men", "-1.svg").is_none());
    }
}
