//! France: the identity number is an INSEE number with its key.

use super::super::identity::insee_number;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const FR: Nationality = Nationality {
    code: "FR",
    country: "France",
    titles: Titles::ENGLISH,
    female: Words(
        "Adèle|Agathe|Apolline|Aurélie|Blandine|Capucine|Cécile|Chloé|Clémence|Constance|\
         Élise|Éloïse|Fanny|Garance|Hélène|Inès|Jeanne|Jocelyne|Léonie|Lison|Lucie|Maëva|\
         Margaux|Mathilde|Ninon|Odile|Pauline|Solène|Sylvie|Zoé",
    ),
    male: Words(
        "Adrien|Alain|Arnaud|Baptiste|Bastien|Benoît|Clément|Corentin|Damien|Edgar|Fabrice|\
         François|Gaël|Gauthier|Gilles|Hugo|Jean|Jérôme|Jules|Léandre|Loïc|Marcel|Maxence|\
         Noël|Pierre|Quentin|Rémi|Stéphane|Théo|Valentin",
    ),
    last: Words(
        "Arnaud|Aubert|Barbier|Bertrand|Besson|Blanchard|Boulanger|Carpentier|Charpentier|\
         Chevalier|Collin|Delaunay|Denis|Dufour|Fontaine|Gérard|Guérin|Guillot|Hervé|Jacquet|\
         Lacroix|Lefèvre|Lemoine|Maréchal|Mercier|Noël|Pasquier|Renaud|Rivière|Vasseur",
    ),
    streets: Words(
        "Allée des Tilleuls|Avenue de la République|Boulevard Voltaire|Chemin du Moulin|\
         Impasse du Lavoir|Place de l'Église|Place du Marché|Quai des Bateliers|\
         Rue de la Fontaine|Rue de la Gare|Rue de la Paix|Rue des Écoles|Rue du Château|\
         Rue Pasteur|Rue Victor-Hugo",
    ),
    cities: Words(
        "Aix-en-Provence|Angers|Annecy|Bayonne|Besançon|Bordeaux|Brest|Caen|Clermont-Ferrand|\
         Dijon|Grenoble|Lille|Limoges|Lyon|Nîmes|Orléans|Poitiers|Rennes|Saint-Étienne|\
         Strasbourg",
    ),
    states: Words(
        "Ardèche|Aube|Aveyron|Calvados|Charente|Corrèze|Côte-d'Or|Creuse|Dordogne|Drôme|\
         Finistère|Gironde|Hérault|Isère|Loiret|Lozère|Manche|Morbihan|Nièvre|Oise|\
         Puy-de-Dôme|Sarthe|Savoie|Vendée|Yonne",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("0{12345}-##-##-##-##"),
    cell: Pattern("06-##-##-##-##"),
    id: Id::Computed("INSEE", insee_number),
};
