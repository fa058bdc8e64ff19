//! United Kingdom: postcodes are text (`SW1A 1AA`), which is what typed consumers trip over.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const GB: Nationality = Nationality {
    code: "GB",
    country: "United Kingdom",
    titles: Titles::ENGLISH,
    female: Words(
        "Alice|Amber|Anwen|Beatrice|Bethan|Catriona|Cerys|Daphne|Eilidh|Eleanor|Elspeth|Erin|\
         Fiona|Florence|Georgia|Harriet|Holly|Iris|Jessica|Katherine|Lottie|Maisie|Martha|\
         Morag|Nia|Penelope|Rhiannon|Rosie|Sian|Tabitha",
    ),
    male: Words(
        "Adam|Alasdair|Albert|Alfie|Arthur|Barnaby|Bryn|Charlie|Craig|Dafydd|Douglas|Edward|\
         Ewan|Frank|Gareth|George|Gregor|Harvey|Huw|Iain|Jamie|Jude|Kenneth|Leo|Malcolm|Neil|\
         Ralph|Rhys|Rory|Stanley",
    ),
    last: Words(
        "Abernethy|Armstrong|Ashworth|Bennett|Blackwood|Bowen|Bradley|Chapman|Crawford|\
         Davies|Evans|Ferguson|Gallagher|Griffiths|Hargreaves|Holloway|Jenkins|Kerr|Lloyd|\
         MacLeod|Marsden|Nicholson|Patel|Pemberton|Pritchard|Rhodes|Shaw|Thornton|Whitaker|\
         Yates",
    ),
    streets: Words(
        "Abbey Road|Albert Street|Back Lane|Castle Street|Church Lane|Green Lane|High Street|\
         Kings Road|Mill Lane|North Street|Park Avenue|Queensway|School Lane|\
         Springfield Road|Station Road|The Crescent|Victoria Road",
    ),
    cities: Words(
        "Aberdeen|Bangor|Bath|Belfast|Birmingham|Bristol|Cardiff|Chester|Derby|Dundee|Durham|\
         Edinburgh|Exeter|Glasgow|Inverness|Leeds|Lichfield|Newport|Norwich|Plymouth|\
         St Davids|Swansea|Wells|York",
    ),
    states: Words(
        "Argyll|Avon|Berkshire|Clwyd|Cornwall|County Antrim|County Down|Cumbria|Devon|Dyfed|\
         Essex|Fife|Gwynedd|Highlands and Islands|Kent|Lothian|Merseyside|Norfolk|Orkney|\
         Powys|Rutland|Suffolk|Tayside|Warwickshire|West Yorkshire",
    ),
    postcode: Postcode::Text(Pattern(
        "@# #{ABDEFGHJLNPQRSTUWXYZ}{ABDEFGHJLNPQRSTUWXYZ}|\
         @@# #{ABDEFGHJLNPQRSTUWXYZ}{ABDEFGHJLNPQRSTUWXYZ}|\
         @## #{ABDEFGHJLNPQRSTUWXYZ}{ABDEFGHJLNPQRSTUWXYZ}|\
         @@## #{ABDEFGHJLNPQRSTUWXYZ}{ABDEFGHJLNPQRSTUWXYZ}|\
         @@#@ #{ABDEFGHJLNPQRSTUWXYZ}{ABDEFGHJLNPQRSTUWXYZ}|\
         @#@ #{ABDEFGHJLNPQRSTUWXYZ}{ABDEFGHJLNPQRSTUWXYZ}",
    )),
    phone: Pattern(
        "01### #####|01### ######|011#### ### ####|01#1 ### ####|013873 #####|\
         015242 #####|016977 ####|017687 #####|019467 #####|02# #### ####",
    ),
    cell: Pattern("07### ######"),
    id: Id::Pattern("NINO", Pattern("{ABCEGHJKLMNOPRSTWXYZ}{ABCEGHJKLMNPRSTWXYZ} ## ## ## @")),
};
