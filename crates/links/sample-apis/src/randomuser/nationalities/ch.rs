//! Switzerland: three languages in one list, and French titles for everybody, as in the original.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const CH: Nationality = Nationality {
    code: "CH",
    country: "Switzerland",
    titles: Titles::FRENCH,
    female: Words(
        "Alessia|Aline|Andrea|Anouk|Beatrice|Céline|Chiara|Corinne|Daniela|Elodie|Fabienne|\
         Flurina|Géraldine|Heidi|Ladina|Lea|Livia|Malin|Mélanie|Nadja|Nina|Ornella|Regula|\
         Romy|Sabrina|Seraina|Silvia|Tamara|Ursina|Vreni",
    ),
    male: Words(
        "Andrin|Beat|Cédric|Corsin|Dario|Didier|Elia|Fabio|Flavio|Gian|Hansruedi|Jonas|Jürg|\
         Kilian|Laurin|Loïc|Luca|Marco|Matthias|Nicola|Nils|Pascal|Reto|Robin|Sandro|Sven|\
         Thierry|Timo|Urs|Yannick",
    ),
    last: Words(
        "Aebischer|Ammann|Bernasconi|Bianchi|Brunner|Bühler|Burri|Caflisch|Cavelti|Chappuis|\
         Egger|Favre|Frei|Fässler|Gerber|Gygax|Hofstetter|Imhof|Jaquet|Kälin|Lüthi|Meier|\
         Odermatt|Pittet|Rochat|Schärer|Steiner|Tobler|Wüthrich|Zgraggen",
    ),
    streets: Words(
        "Alpenstrasse|Avenue de la Gare|Bahnhofstrasse|Bundesplatz|Chemin des Vignes|\
         Dorfstrasse|Kirchweg|Mühlegasse|Rosenweg|Rue du Lac|Rue du Marché|Seestrasse|\
         Via Cantonale|Via San Gottardo|Wiesenstrasse",
    ),
    cities: Words(
        "Aarau|Basel|Bellinzona|Bern|Biel|Chur|Davos|Fribourg|Genève|Lausanne|Locarno|Lugano|\
         Luzern|Neuchâtel|Olten|Schaffhausen|Sion|Solothurn|Winterthur|Zürich",
    ),
    states: Words(
        "Aargau|Appenzell Innerrhoden|Basel-Stadt|Bern|Fribourg|Genève|Glarus|Graubünden|\
         Jura|Luzern|Neuchâtel|Nidwalden|Schwyz|St. Gallen|Thurgau|Ticino|Uri|Valais|Vaud|\
         Zürich",
    ),
    postcode: Postcode::Number(1000, 9999),
    phone: Pattern("07{56789} ### ## ##"),
    cell: Pattern("07{56789} ### ## ##"),
    id: Id::Pattern("AVS", Pattern("756.####.####.##")),
};
