import ContentStore
import Reasoning
import StudentJobs

extension ArtifactType {
    static let questions = ArtifactType(Question.artifactType)!
    static let cots = ArtifactType(ChainOfThought.artifactType)!
    static let dualPairs = ArtifactType(DualPair.artifactType)!
    static let demonstrations = ArtifactType(Demonstration.artifactType)!
    static let alignments = ArtifactType(Reasoning.Alignment.artifactType)!
    static let examples = ArtifactType(TrainingExample.artifactType)!
    static let generations = ArtifactType(Reasoning.Generation.artifactType)!
    static let metrics = ArtifactType(Accuracy.artifactType)!
    static let tokens = ArtifactType(TokenShard.artifactType)!
    static let tokenPairs = ArtifactType(TokenPairShard.artifactType)!
    /// A row a task: how much of the pairs is key reasoning steps.
    static let keySteps = ArtifactType(KeySteps.artifactType)!
    /// A row a truth, group and method of the key-step study.
    static let keyStepAgreement = ArtifactType(KeyStepRow.artifactType)!
    /// A row a training step.
    static let trainingLog = ArtifactType(name: "training-log", version: 1)
    /// A directory with tokenizer.json and tokenizer_config.json.
    static let tokenizer = ArtifactType(name: "tokenizer", version: 1)
    /// A Hugging Face checkpoint directory.
    static let checkpoint = ArtifactType(name: "checkpoint", version: 1)
    /// A directory with report.md and report.json.
    static let report = ArtifactType(name: "report", version: 1)
}
