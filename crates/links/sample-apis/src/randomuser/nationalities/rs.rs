//! Serbia: Latin script with its diacritics; districts under their English names.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const RS: Nationality = Nationality {
    code: "RS",
    country: "Serbia",
    titles: Titles::ENGLISH,
    female: Words(
        "Aleksandra|Ana|Anđela|Biljana|Bojana|Branka|Danica|Dragana|Dunja|Dušanka|Gordana|\
         Iva|Ivana|Jasmina|Jelena|Jovana|Katarina|Ljiljana|Milena|Milica|Mirjana|Nevena|\
         Olivera|Radmila|Sanja|Slađana|Snežana|Tijana|Vesna|Živana",
    ),
    male: Words(
        "Aleksandar|Bogdan|Boško|Branislav|Dejan|Đorđe|Dragan|Dušan|Filip|Goran|Igor|Jovan|\
         Lazar|Ljubomir|Marko|Milan|Miloš|Mladen|Nebojša|Nemanja|Nenad|Ognjen|Petar|Predrag|\
         Slobodan|Srđan|Stevan|Uroš|Vuk|Zoran",
    ),
    last: Words(
        "Antić|Blagojević|Bogdanović|Cvetković|Đokić|Đurić|Filipović|Gajić|Ilić|Ivanović|\
         Janković|Jevtić|Jovanović|Kostić|Lukić|Marković|Milošević|Mitrović|Nikolić|\
         Obradović|Pavlović|Petrović|Popović|Radić|Savić|Simić|Stanković|Stojanović|\
         Todorović|Žarković",
    ),
    streets: Words(
        "Balkanska|Beogradska|Bulevar oslobođenja|Cara Dušana|Dunavska|Glavna|Karađorđeva|\
         Kneza Miloša|Kralja Petra|Lipov put|Nemanjina|Njegoševa|Svetosavska|Vojvode Stepe|\
         Zmaj Jovina",
    ),
    cities: Words(
        "Aranđelovac|Bečej|Beograd|Čačak|Jagodina|Kikinda|Kragujevac|Kraljevo|Kruševac|\
         Leskovac|Loznica|Niš|Novi Sad|Pančevo|Pirot|Požarevac|Šabac|Smederevo|Subotica|\
         Užice|Valjevo|Vranje|Vršac|Zaječar|Zrenjanin",
    ),
    states: Words(
        "Belgrade|Bor|Braničevo|Central Banat|Jablanica|Kolubara|Mačva|Moravica|Nišava|\
         North Bačka|Pčinja|Pirot|Podunavlje|Pomoravlje|Raška|South Banat|Srem|Šumadija|\
         Toplica|Zaječar|Zlatibor",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("0{123}#-####-###"),
    cell: Pattern("06#-####-###"),
    id: Id::Pattern("SID", Pattern("#########")),
};
