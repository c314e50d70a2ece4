import StageGraph

extension StageLibrary {
    /// Every stage type a pipeline file may use.
    public static let edit = StageLibrary([
        // Bringing records in.
        SyntheticQuestions.self, ImportQuestions.self, ImportBBH.self, ImportPairs.self, Split.self, SelectCoTs.self,
        ImportCheckpoint.self,
        QuestionWording.self,
        // Teachers and dual chains of thought.
        TeacherSampling.self, Rectification.self, Demonstrations.self, Corruption.self, DualFiltering.self,
        MergeCoTs.self,
        // Baselines as recipes of training data.
        CoTRecipe.self, DualRecipe.self, RepeatedSamples.self, TokenizeExamples.self, DPO.self,
        // Tokens.
        TokenizerTraining.self, Tokenize.self, Align.self, KeyStepStatistics.self, KeyStepStudy.self,
        // Students.
        SFT.self, KRSL.self, Generate.self, Evaluation.self, CoTAccuracy.self, MajorityBaseline.self, Report.self,
    ])
}
