//! Germany: umlauts in most lists; the identity number carries the date of birth.

use super::super::identity::pension_insurance_number;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const DE: Nationality = Nationality {
    code: "DE",
    country: "Germany",
    titles: Titles::ENGLISH,
    female: Words(
        "Anke|Annika|Antje|Barbara|Birgit|Britta|Carla|Dörte|Edda|Elke|Franziska|Frieda|\
         Gisela|Greta|Hanna|Hedwig|Ilse|Jutta|Käthe|Katrin|Lieselotte|Marlene|Mathilda|Nele|\
         Rieke|Sabine|Sigrid|Svenja|Ulrike|Wiebke",
    ),
    male: Words(
        "Achim|Albrecht|Axel|Bastian|Björn|Detlef|Dietmar|Eckhard|Fabian|Florian|Gernot|Götz|\
         Günther|Hartmut|Heiko|Holger|Ingo|Jörg|Jürgen|Karsten|Lennart|Manfred|Moritz|\
         Norbert|Ole|Ralf|Sönke|Thorsten|Uwe|Wolfgang",
    ),
    last: Words(
        "Albrecht|Bäcker|Baumann|Böhme|Brandt|Dietrich|Ebert|Engel|Fröhlich|Geißler|Großmann|\
         Günther|Hahn|Heinrich|Jäger|Kühn|Köhler|Lehmann|Löffler|Möller|Neumann|Pfeiffer|\
         Reuter|Roß|Schröder|Schütz|Thiele|Vogt|Weiß|Zöllner",
    ),
    streets: Words(
        "Am Alten Markt|Am Mühlbach|An der Kirche|Bergstraße|Birkenallee|Brückenstraße|\
         Feldweg|Gartenstraße|Goethestraße|Hauptstraße|Im Wiesengrund|Kastanienweg|\
         Lindenstraße|Schloßgasse|Schulstraße",
    ),
    cities: Words(
        "Aachen|Augsburg|Bremen|Chemnitz|Cottbus|Dresden|Düsseldorf|Erfurt|\
         Freiburg im Breisgau|Göttingen|Hannover|Jena|Köln|Lübeck|Magdeburg|Mönchengladbach|\
         München|Nürnberg|Osnabrück|Würzburg",
    ),
    states: Words(
        "Baden-Württemberg|Bayern|Berlin|Brandenburg|Bremen|Hamburg|Hessen|\
         Mecklenburg-Vorpommern|Niedersachsen|Nordrhein-Westfalen|Rheinland-Pfalz|Saarland|\
         Sachsen|Sachsen-Anhalt|Schleswig-Holstein|Thüringen",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("0###-#######"),
    cell: Pattern("017#-#######"),
    id: Id::Computed("SVNR", pension_insurance_number),
};
