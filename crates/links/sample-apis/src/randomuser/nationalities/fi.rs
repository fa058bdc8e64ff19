//! Finland: the original's identity numbers begin with the date of birth read as `NaN`; so do these.

use super::super::identity::personal_identity_code;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const FI: Nationality = Nationality {
    code: "FI",
    country: "Finland",
    titles: Titles::ENGLISH,
    female: Words(
        "Aino|Anni|Eeva|Eila|Elina|Emmi|Enni|Hanna|Heidi|Helmi|Iida|Inkeri|Jenni|Kaisa|Katri|\
         Kirsi|Lotta|Maija|Marjatta|Minna|Päivi|Pirkko|Riikka|Saara|Sanni|Satu|Sirkka|Tuuli|\
         Ulla|Venla",
    ),
    male: Words(
        "Aapo|Aleksi|Antti|Arttu|Eero|Eetu|Erkki|Harri|Heikki|Ilmari|Jari|Juhani|Jukka|Jyrki|\
         Kalle|Kimmo|Lauri|Markku|Mikko|Olli|Onni|Paavo|Petri|Pekka|Risto|Sakari|Tapio|Teemu|\
         Urho|Yrjö",
    ),
    last: Words(
        "Aalto|Ahonen|Halonen|Heikkinen|Hämäläinen|Jokinen|Järvinen|Kallio|Karjalainen|\
         Kettunen|Kinnunen|Koskinen|Laaksonen|Lehtonen|Leppänen|Mäkelä|Manninen|Mäkinen|\
         Nieminen|Niskanen|Ojala|Pesonen|Rantanen|Räsänen|Saarinen|Salo|Seppälä|Tuominen|\
         Virtanen|Väisänen",
    ),
    streets: Words(
        "Asemakatu|Hallituskatu|Harjukatu|Kalevankatu|Kauppakatu|Kirkkokatu|Koivutie|\
         Koulukatu|Linnankatu|Mäntytie|Pellavatie|Puistokatu|Rantatie|Satamakatu|Tähtitie",
    ),
    cities: Words(
        "Espoo|Helsinki|Hämeenlinna|Imatra|Inari|Joensuu|Jyväskylä|Kajaani|Kemi|Kokkola|\
         Kuopio|Lahti|Mikkeli|Oulu|Pori|Rovaniemi|Savonlinna|Tampere|Turku|Vaasa",
    ),
    states: Words(
        "Central Finland|Kainuu|Kymenlaakso|Lapland|North Karelia|Northern Savonia|\
         Ostrobothnia|Pirkanmaa|Päijät-Häme|Satakunta|South Karelia|Southern Savonia|\
         Tavastia Proper|Uusimaa|Åland",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("0%-###-###"),
    cell: Pattern("04#-###-##-##"),
    id: Id::Computed("HETU", personal_identity_code),
};
